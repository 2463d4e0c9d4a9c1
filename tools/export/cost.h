/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cost of the exporter itself.
 */
#ifndef IOMMUSCOPE_EXPORT_COST_H
#define IOMMUSCOPE_EXPORT_COST_H

struct bpf_object;
struct export_cost;

/**
 * cost_of_process() - measure CPU time and memory of this process
 * @cost: these are set
 */
void cost_of_process(struct export_cost *cost);

/**
 * cost_of_object() - measure the memory and run time of BPF programs and their maps
 * @cost: these are added to
 * @object: a loaded object
 */
void cost_of_object(struct export_cost *cost, const struct bpf_object *object);

#endif
