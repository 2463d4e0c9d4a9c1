/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our modules: the programs on their events of finished operations.
 *
 * The file that includes this one is a consumer; record.bpf.h lists what it must define.
 *
 * Operations on memory come in hundreds of thousands.  Each has a program of its own, which reads
 * the kernel's record in place.  The others are rare, but of many kinds.  One raw tracepoint
 * program serves all operations of a class, on a copy of the record, so that the verifier has less
 * to do and the tool starts sooner; the tool attaches it to every event of the class.  Memory
 * operations have such a program as well, for modules without BTF.
 */
#ifndef IOMMUSCOPE_BPF_SOURCES_OWN_BPF_H
#define IOMMUSCOPE_BPF_SOURCES_OWN_BPF_H

/* Larger than any record will be. */
#define SCOPE_OP_ROOM 512

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[SCOPE_OP_ROOM]);
} ios_op_copy SEC(".maps");

/*
 * Copies a record as it is in the kernel; CO-RE relocates the accesses to the fields of the copy.
 */
#define SCOPE_COPY_OP(type, from)                                                         \
	({                                                                                \
		__u32 zero = 0, size = bpf_core_type_size(type);                          \
		type *op = bpf_map_lookup_elem(&ios_op_copy, &zero);                      \
                                                                                          \
		if (size > SCOPE_OP_ROOM)                                                 \
			size = SCOPE_OP_ROOM;                                             \
		op && !bpf_probe_read_kernel(op, size, (const void *)(from)) ? op : NULL; \
	})

#define SCOPE_MEMORY_PROGRAM(name, number)                                              \
	SEC("tp_btf/iommufd_" #name)                                                    \
	int BPF_PROG(ios_##name, const struct iommufd_op *op)                           \
	{                                                                               \
		(void)ctx;                                                              \
		/* the verifier assumes that any argument of a tracepoint may be NULL */ \
		return op ? finished_memory(op, SCOPE_OPERATION_iommufd_##name) : 0;    \
	}
IOMMUFD_MEMORY_OPERATIONS(SCOPE_MEMORY_PROGRAM)

/*
 * For modules without BTF, where tp_btf finds no event: the tool then loads this program instead.
 */
SEC("?raw_tp")
int ios_memory(struct bpf_raw_tracepoint_args *args)
{
	struct iommufd_op *op = SCOPE_COPY_OP(struct iommufd_op, args->args[0]);

	return op ? finished_memory(op, scope_iommufd_operation(op->clock.opcode)) : 0;
}

SEC("raw_tp")
int ios_translation(struct bpf_raw_tracepoint_args *args)
{
	struct iommufd_op *op = SCOPE_COPY_OP(struct iommufd_op, args->args[0]);

	return op ? finished_translation(op, scope_iommufd_operation(op->clock.opcode)) : 0;
}

SEC("raw_tp")
int ios_object(struct bpf_raw_tracepoint_args *args)
{
	struct iommufd_op *op = SCOPE_COPY_OP(struct iommufd_op, args->args[0]);

	return op ? finished_object(op, scope_iommufd_operation(op->clock.opcode)) : 0;
}

SEC("raw_tp")
int ios_vfio(struct bpf_raw_tracepoint_args *args)
{
	struct vfio_op *op = SCOPE_COPY_OP(struct vfio_op, args->args[0]);

	return op ? finished_vfio(op, scope_vfio_operation(op->clock.opcode)) : 0;
}

#endif
