/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slowest operations and their stacks, for people and as JSON.
 */
#ifndef IOMMUSCOPE_DESCRIBE_SLOWEST_TEXT_H
#define IOMMUSCOPE_DESCRIBE_SLOWEST_TEXT_H

#include <stdbool.h>

struct json;
struct slowest;

/**
 * slowest_table() - print the slowest operations for people
 * @slowest: the observation
 * @interval: those of the interval that is over, not of the whole run
 */
void slowest_table(struct slowest *slowest, bool interval);

/**
 * slowest_json() - write the slowest operations as an array, into an object that is open
 * @slowest: the observation
 * @interval: those of the interval that is over, not of the whole run
 * @json: the writer
 */
void slowest_json(struct slowest *slowest, bool interval, struct json *json);

#endif
