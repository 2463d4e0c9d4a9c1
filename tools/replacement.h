/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements as replace.bpf.c has seen them, what they did to DMA, and their totals.
 *
 *	observation = replacements_open(options)
 *	replacements_attach(observation)
 *	replacements_read(observation, function, context)	now and then
 *	replacements_drain(observation, function, context)	at the end
 *	replacements_close(observation)
 *
 * A replacement is told once no more faults can be charged to it: a second after its end, or as the next one
 * of its device begins.  The verdict is made here, of what was measured and of which probes were there to measure it;
 * nothing is claimed that was not seen.
 */
#ifndef IOMMUSCOPE_REPLACEMENT_H
#define IOMMUSCOPE_REPLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/replace.h"
#include "histogram.h"

struct bpf_object;
struct json;
struct options;
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
 * @record: as the BPF programs tell it
 * @waits: operations of the same ctx that waited for it
 * @verdict: what became of the device's DMA
 * @window_known: @record.window_ns was measured; 0 then means that there was no window
 * @faults: what is known of its faults; unless that is FAULTS_known their number is 0 and means nothing
 * @faults_at_least: there may have been more faults than were counted
 */
struct replacement {
	struct scope_replacement record;
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
 * @options: whom to watch; the device is followed also where another of its group is named
 *
 * Call session_check() before.
 *
 * Return: the observation, or NULL after it has said what failed.
 */
struct replacements *replacements_open(const struct options *options);

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
 * replacements_object() - the programs and maps
 * @replacements: the observation
 *
 * Return: their BPF object.
 */
const struct bpf_object *replacements_object(const struct replacements *replacements);

/**
 * replacements_close() - end the observation
 * @replacements: the observation, or NULL
 */
void replacements_close(struct replacements *replacements);

/**
 * verdict_name() - name of a verdict for programs: "rolled_back"
 * @verdict: the verdict
 *
 * Return: the name.
 */
const char *verdict_name(enum verdict verdict);

/**
 * fault_sight_name() - name of what is known of faults for programs: "none_reported"
 * @sight: what is known
 *
 * Return: the name.
 */
const char *fault_sight_name(enum fault_sight sight);

/* A number of faults for a column. */
struct fault_count {
	char s[48];
};

/**
 * replacement_faults() - the faults of a replacement for a column
 * @replacement: the replacement
 *
 * Return: the number; "-" if none was reported and that proves nothing, or "?" if nobody watched.
 */
struct fault_count replacement_faults(const struct replacement *replacement);

/**
 * total_faults() - the same of a total
 * @total: the total
 *
 * Return: the number, with a mark if that of some replacements is not known; else as above.
 */
struct fault_count total_faults(const struct replacement_total *total);

/**
 * replacement_words() - the verdict in words
 * @replacement: the replacement
 * @text: set to them: "blocked 38 µs, 3 faults"
 * @size: size of @text
 */
void replacement_words(const struct replacement *replacement, char *text, size_t size);

/**
 * replacement_operation() - a replacement as the operation that it is
 * @record: the replacement
 *
 * Return: the operation, without what a replacement does not tell.
 */
struct scope_record replacement_operation(const struct scope_replacement *record);

/**
 * replacement_why() - why it failed, with the numbers that decide
 * @replacement: the replacement, failed
 * @text: set to the words
 * @size: size of @text
 */
void replacement_why(const struct replacement *replacement, char *text, size_t size);

/**
 * replacement_phase_name() - name of a phase: "fill"
 * @phase: enum scope_replace_phase
 *
 * Return: the name.
 */
const char *replacement_phase_name(enum scope_replace_phase phase);

/**
 * fault_words() - what an IOMMU said of a fault
 * @fault: the fault
 * @driver: enum scope_switch of the device
 *
 * Return: a few words.
 */
const char *fault_words(const struct scope_fault_mark *fault, unsigned int driver);

/**
 * replacement_json() - a replacement as an object
 * @replacement: the replacement
 * @json: the writer
 * @wall_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC
 */
void replacement_json(const struct replacement *replacement, struct json *json, int64_t wall_ns);

/**
 * replacement_totals_json() - totals as an array
 * @totals: the totals
 * @json: the writer
 * @key: key of the array
 * @label: key of the label in each object
 */
void replacement_totals_json(const struct replacement_totals *totals, struct json *json,
			     const char *key, const char *label);

#endif
