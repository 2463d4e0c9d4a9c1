/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The labels of values of a dimension: names of processes, cgroups, IOASes or devices.
 *
 * A struct latency_labels keeps the label of each value that has entries in the kernel, because a
 * process or cgroup has no name any more once it has ended.  A value is gone when its process,
 * cgroup or IOAS is.
 */
#ifndef IOMMUSCOPE_OBSERVE_LATENCY_LABELS_H
#define IOMMUSCOPE_OBSERVE_LATENCY_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/latency.h"

struct bpf_map;
struct state;

/**
 * struct latency_labels - labels of values
 * @by: the dimension
 * @devices_map: numbers of devices by name
 * @attachments_map: devices of IOASes
 * @processes_map: names of processes by id
 * @tree: the labels by value
 * @nr: number of labels
 * @attachments: the devices of IOASes, sorted by IOAS; read once per reading
 * @nr_attachments: their number
 * @reading: number of the current reading
 */
struct latency_labels {
	enum scope_dimension by;
	const struct bpf_map *devices_map;
	const struct bpf_map *attachments_map;
	const struct bpf_map *processes_map;
	void *tree;
	size_t nr;
	struct scope_attachment *attachments;
	size_t nr_attachments;
	uint64_t reading;
};

/**
 * latency_labels_begin_reading() - look at the machine anew
 * @labels: the labels
 */
void latency_labels_begin_reading(struct latency_labels *labels);

/**
 * latency_labels_find() - the label of a value
 * @labels: the labels
 * @value: the value of the dimension
 * @before: set to the label that was given for it until now, "" if it is the same, or the first
 * @size: size of @before
 *
 * An IOAS can get a device after memory was mapped into it; then its label changes.
 *
 * Return: the label.
 */
const char *latency_labels_find(struct latency_labels *labels, uint64_t value, char *before, size_t size);

/**
 * latency_labels_gone() - visit the values that are gone, and forget them
 * @labels: the labels
 * @state: contexts and IOASes that exist, NULL if that is not known
 * @gone: is called for each, with @context; @ended says that no other value can have the label
 * @context: of the caller
 *
 * An IOAS is gone only if it was gone in the previous call as well: its last operation may end
 * after the object.
 */
void latency_labels_gone(struct latency_labels *labels, const struct state *state,
		 void (*gone)(void *context, uint64_t value, const char *label, bool ended),
		 void *context);

/**
 * latency_labels_free() - forget all
 * @labels: the labels
 */
void latency_labels_free(struct latency_labels *labels);

#endif
