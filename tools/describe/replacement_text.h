/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements, described in words.
 */
#ifndef IOMMUSCOPE_DESCRIBE_REPLACEMENT_TEXT_H
#define IOMMUSCOPE_DESCRIBE_REPLACEMENT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "observe/replacement.h"

/**
 * verdict_name() - name of a verdict, for JSON: "rolled_back"
 * @verdict: the verdict
 *
 * Return: the name.
 */
const char *verdict_name(enum verdict verdict);

/**
 * fault_sight_name() - name of what is known about faults, for JSON: "none_reported"
 * @sight: what is known
 *
 * Return: the name.
 */
const char *fault_sight_name(enum fault_sight sight);

/* A number of faults as a column shows it. */
struct fault_count {
	char s[48];
};

/**
 * replacement_faults() - format the faults of a replacement for a column
 * @replacement: the replacement
 *
 * Return: the number; "-" if none was reported and that proves nothing; "?" if nothing was watched.
 */
struct fault_count replacement_faults(const struct replacement *replacement);

/**
 * total_faults() - format the faults of a total for a column
 * @total: the total
 *
 * Return: the number, with a mark if it is not known for some replacements; else as above.
 */
struct fault_count total_faults(const struct replacement_total *total);

/**
 * replacement_words() - describe the verdict
 * @replacement: the replacement
 * @text: set to the description: "blocked 38 µs, 3 faults"
 * @size: size of @text
 */
void replacement_words(const struct replacement *replacement, char *text, size_t size);

/**
 * replacement_operation() - convert a replacement into an operation
 * @facts: the replacement
 *
 * Return: the operation, without the details that a replacement does not have.
 */
struct scope_op replacement_operation(const struct scope_replacement *facts);

/**
 * replacement_why() - describe why a replacement failed, with the numbers that decided it
 * @replacement: the failed replacement
 * @text: set to the description
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
 * fault_words() - describe a fault as its IOMMU reported it
 * @fault: the fault
 * @driver: enum scope_switch of the device
 *
 * Return: a short description.
 */
const char *fault_words(const struct scope_fault_mark *fault, unsigned int driver);

#endif
