/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements as replace.bpf.c has seen them, what they did to DMA, and their totals.
 *
 *	observation = replacements_open(filter)
 *	replacements_attach(observation)
 *	replacements_read(observation, function, context)	now and then
 *	replacements_drain(observation, function, context)	at the end
 *	replacements_close(observation)
 *
 * A replacement is told once no more faults can be charged to it: a second after its end, or as the next one
 * of its device begins.  The verdict is made here, of what was measured and of which probes were there to measure it;
 * nothing is claimed that was not seen.
 */
#ifndef IOMMUSCOPE_OBSERVE_REPLACEMENT_H
#define IOMMUSCOPE_OBSERVE_REPLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/replace.h"
#include "text/histogram.h"

struct filter;
struct session;
struct replacements;

/* Read at least that often: so many records find room in the kernel meanwhile. */
#define REPLACEMENTS_READ_EVERY_NS 100000000ULL

/*
 * VERDICT(name, label): what a replacement did to the DMA of a device.
 *
 * hitless: a driver whose every way to take a translation away is watched took none away.
 * blocked: there was a window without translation.
 * rolled_back: it failed, and the device is back at the old translation.
 * stranded: it failed, and the device has no translation.
 * refused: it failed before the IOMMU driver was asked.
 * unchanged: the device had this HWPT already.
 * unknown: nobody watched.
 */
#define REPLACEMENT_VERDICTS(VERDICT)                                                              \
	VERDICT(hitless, "hitless")                                                                \
	VERDICT(blocked, "blocked")                                                                \
	VERDICT(rolled_back, "failed, rolled back")                                                \
	VERDICT(stranded, "failed, left without translation")                                      \
	VERDICT(refused, "refused")                                                                \
	VERDICT(unchanged, "same HWPT, nothing switched")                                          \
	VERDICT(unknown, "unknown")

enum verdict {
#define VERDICT_ENUM(name, label) VERDICT_##name,
	REPLACEMENT_VERDICTS(VERDICT_ENUM)
#undef VERDICT_ENUM
	NR_VERDICTS,
};

/*
 * SIGHT(name): what is known of the faults of a device that a replacement moved.
 *
 * known: the source of faults tells of all of them, or at least it has told of some.
 * none_reported: there is a source, and it was silent.  That proves nothing: it may be one that tells of faults of this
 * kind not at all (AMD's event log, until it has told of any), or not of all (the kernel's log).
 * not_watched: no source of this device's faults can be watched here.
 * not_moved: the device was not moved, or nobody saw it: there is nothing to charge faults to.
 */
#define REPLACEMENT_FAULT_SIGHTS(SIGHT)                                                            \
	SIGHT(known)                                                                               \
	SIGHT(none_reported)                                                                       \
	SIGHT(not_watched)                                                                         \
	SIGHT(not_moved)

enum fault_sight {
#define SIGHT_ENUM(name) FAULTS_##name,
	REPLACEMENT_FAULT_SIGHTS(SIGHT_ENUM)
#undef SIGHT_ENUM
	NR_FAULT_SIGHTS,
};

/**
 * struct replacement - what a replacement did to one device
 * @facts: as the BPF programs tell it
 * @waits: operations of the same ctx that waited for it
 * @verdict: what became of the device's DMA
 * @window_known: @record.window_ns was measured; 0 then means that there was no window
 * @faults: what is known of its faults; unless that is FAULTS_known their number is 0 and means nothing
 * @faults_at_least: there may have been more faults than were counted
 */
struct replacement {
	struct scope_replacement facts;
	struct scope_waits waits;
	enum verdict verdict;
	bool window_known;
	enum fault_sight faults;
	bool faults_at_least;
};

/**
 * struct replacement_total - the replacements of a device, or of an IOMMU driver
 * @label: its name
 * @count: replacements, one for each device moved
 * @verdicts: how many of each
 * @faults: how many of each kind of knowledge of faults
 * @faults_in_window: faults while there was no translation
 * @faults_after: faults after
 * @faults_at_least: there may have been more
 * @window: of those whose window was measured, none longer than 0 included
 * @duration: how long they took
 */
struct replacement_total {
	char label[SCOPE_DEVICE_LEN];
	uint64_t count;
	uint64_t verdicts[NR_VERDICTS];
	uint64_t faults[NR_FAULT_SIGHTS];
	uint64_t faults_in_window;
	uint64_t faults_after;
	bool faults_at_least;
	struct histogram window;
	struct histogram duration;
};

/**
 * struct replacement_totals - totals by label
 * @totals: in the order in which the labels were first met
 * @nr: how many
 */
struct replacement_totals {
	struct replacement_total *totals;
	size_t nr;
};

typedef void (*replacement_function)(void *context, const struct replacement *replacement);

/**
 * replacements_open() - load the programs
 * @filter: whom to watch; the device is followed also where another of its group is named
 *
 * Call session_check() before.
 *
 * Return: the observation, or NULL after it has said what failed.
 */
struct replacements *replacements_open(const struct filter *filter);

/**
 * replacements_attach() - begin to observe
 * @replacements: the observation
 *
 * Return: 0, or -1 after it has said what failed.
 */
int replacements_attach(struct replacements *replacements);

/**
 * replacements_detach() - observe no more; what was seen can still be read
 * @replacements: the observation
 */
void replacements_detach(struct replacements *replacements);

/**
 * replacements_read() - take what is ripe
 * @replacements: the observation
 * @function: called with each replacement, may be NULL
 * @context: its first argument
 */
void replacements_read(struct replacements *replacements, replacement_function function,
		       void *context);

/**
 * replacements_drain() - wait until all that has begun is ripe, and take it
 * @replacements: the observation, attached still so that late faults are counted
 * @function: called with each replacement, may be NULL
 * @context: its first argument
 *
 * Waits a second at most.
 */
void replacements_drain(struct replacements *replacements, replacement_function function,
			void *context);

/**
 * replacements_by_device() - totals of each device
 * @replacements: the observation
 *
 * Return: the totals, good until the next reading.
 */
const struct replacement_totals *replacements_by_device(const struct replacements *replacements);

/**
 * replacements_by_driver() - totals of each IOMMU driver
 * @replacements: the observation
 *
 * Return: the totals, good until the next reading.
 */
const struct replacement_totals *replacements_by_driver(const struct replacements *replacements);

/**
 * replacements_lost() - replacements that were not told
 * @replacements: the observation
 *
 * Return: how many there were so far.
 */
uint64_t replacements_lost(const struct replacements *replacements);

/**
 * replacements_stray_faults() - faults of no replacement
 * @replacements: the observation
 *
 * Return: how many were seen so far.
 */
uint64_t replacements_stray_faults(const struct replacements *replacements);

/**
 * replacements_session() - the programs and maps
 * @replacements: the observation
 *
 * Return: their session.
 */
const struct session *replacements_session(const struct replacements *replacements);

/**
 * replacements_close() - end the observation
 * @replacements: the observation, or NULL
 */
void replacements_close(struct replacements *replacements);

#endif
