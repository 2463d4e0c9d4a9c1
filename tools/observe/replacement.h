/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements from replace.bpf.c, what they did to DMA, and their totals.
 *
 *	observation = replacements_open(filter)
 *	replacements_attach(observation)
 *	replacements_read(observation, function, context)	regularly
 *	replacements_drain(observation, function, context)	at the end
 *	replacements_close(observation)
 *
 * A replacement is reported once no more faults can be charged to it: a second after its end, or
 * at the start of the next one of its device.  The verdict is made here, from the measurements and
 * from which probes were attached; nothing is claimed that was not observed.
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

/* Read at least this often, so that the buffer in the kernel does not overflow. */
#define REPLACEMENTS_READ_EVERY_NS 100000000ULL

/*
 * VERDICT(name, label): what a replacement did to the DMA of a device.
 *
 * hitless: every path on which the driver can remove a translation is watched, and none was taken.
 * blocked: there was a window without translation.
 * rolled_back: it failed, and the device is back at the old translation.
 * stranded: it failed, and the device has no translation.
 * refused: it failed before the IOMMU driver was called.
 * unchanged: the device already had this HWPT.
 * unknown: it could not be watched.
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
 * SIGHT(name): what is known about the faults of a device that a replacement moved.
 *
 * known: the source of faults reports all of them, or at least it has reported some.
 * none_reported: there is a source, and it was silent.  That proves nothing: the source may not
 * report faults of this kind at all (AMD's event log, until it has reported any), or not all of
 * them (the kernel's log).  not_watched: no source of this device's faults can be watched here.
 * not_moved: the device was not moved, or the move was not observed: no faults can be charged to
 * it.
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
 * @facts: data from the BPF programs
 * @waits: operations of the same ctx that waited for it
 * @verdict: effect on the device's DMA
 * @window_known: @record.window_ns was measured; 0 then means that there was no window
 * @faults: what is known about its faults; unless FAULTS_known, their number is 0 and meaningless
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
 * @verdicts: number of each verdict
 * @faults: number of each kind of knowledge about faults
 * @faults_in_window: faults while there was no translation
 * @faults_after: faults after the window
 * @faults_at_least: there may have been more faults
 * @window: windows that were measured, including those of length 0
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
 * @totals: in the order in which the labels first appeared
 * @nr: number of totals
 */
struct replacement_totals {
	struct replacement_total *totals;
	size_t nr;
};

typedef void (*replacement_function)(void *context, const struct replacement *replacement);

/**
 * replacements_open() - load the programs
 * @filter: what to watch; the device is followed even if a call names another device of its group
 *
 * Call session_check() before.
 *
 * Return: the observation, or NULL after a message.
 */
struct replacements *replacements_open(const struct filter *filter);

/**
 * replacements_attach() - start the observation
 * @replacements: the observation
 *
 * Return: 0, or -1 after a message.
 */
int replacements_attach(struct replacements *replacements);

/**
 * replacements_extend() - observe modules that were loaded later, too
 * @replacements: the observation, attached
 *
 * For session_follow().
 *
 * Return: 0, or -1 after a message.
 */
int replacements_extend(struct replacements *replacements);

/**
 * replacements_detach() - stop the observation; its results can still be read
 * @replacements: the observation
 */
void replacements_detach(struct replacements *replacements);

/**
 * replacements_read() - report the replacements that are ripe
 * @replacements: the observation
 * @function: called with each replacement, may be NULL
 * @context: its first argument
 */
void replacements_read(struct replacements *replacements, replacement_function function,
		       void *context);

/**
 * replacements_drain() - wait until all replacements that have started are ripe, and report them
 * @replacements: the observation, still attached, so that late faults are counted
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
 * Return: the totals, valid until the next reading.
 */
const struct replacement_totals *replacements_by_device(const struct replacements *replacements);

/**
 * replacements_by_driver() - totals of each IOMMU driver
 * @replacements: the observation
 *
 * Return: the totals, valid until the next reading.
 */
const struct replacement_totals *replacements_by_driver(const struct replacements *replacements);

/**
 * replacements_lost() - replacements that were lost
 * @replacements: the observation
 *
 * Return: their number so far.
 */
uint64_t replacements_lost(const struct replacements *replacements);

/**
 * replacements_stray_faults() - faults that belong to no replacement
 * @replacements: the observation
 *
 * Return: their number so far.
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
