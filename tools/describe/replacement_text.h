/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements in words.
 */
#ifndef IOMMUSCOPE_DESCRIBE_REPLACEMENT_TEXT_H
#define IOMMUSCOPE_DESCRIBE_REPLACEMENT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "observe/replacement.h"

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
 * @facts: the replacement
 *
 * Return: the operation, without what a replacement does not tell.
 */
struct scope_op replacement_operation(const struct scope_replacement *facts);

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

#endif
