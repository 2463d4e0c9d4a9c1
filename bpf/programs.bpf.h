/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program for every event of a finished operation.
 *
 * The file that includes it has defined, as static __always_inline functions:
 *
 *	int finished_memory(const struct iommufd_op *op, __u32 operation)
 *	int finished_translation(const struct iommufd_op *op, __u32 operation)
 *	int finished_object(const struct iommufd_op *op, __u32 operation)
 *	int finished_vfio(const struct vfio_op *op, __u32 operation)
 */
#define SCOPE_PROGRAM(subsystem, class, name)                                                      \
	SEC("tp_btf/" #subsystem "_" #name)                                                        \
	int BPF_PROG(subsystem##_##name, const struct subsystem##_op *op)                          \
	{                                                                                          \
		(void)ctx;                                                                         \
		/* the verifier thinks that any argument of a tracepoint may be NULL */            \
		return op ? finished_##class(op, SCOPE_OPERATION_##subsystem##_##name) : 0;         \
	}
#define SCOPE_MEMORY_PROGRAM(name) SCOPE_PROGRAM(iommufd, memory, name)
#define SCOPE_TRANSLATION_PROGRAM(name) SCOPE_PROGRAM(iommufd, translation, name)
#define SCOPE_OBJECT_PROGRAM(name) SCOPE_PROGRAM(iommufd, object, name)
#define SCOPE_VFIO_PROGRAM(name) SCOPE_PROGRAM(vfio, vfio, name)

IOMMUFD_MEMORY_OPERATIONS(SCOPE_MEMORY_PROGRAM)
IOMMUFD_TRANSLATION_OPERATIONS(SCOPE_TRANSLATION_PROGRAM)
IOMMUFD_OBJECT_OPERATIONS(SCOPE_OBJECT_PROGRAM)
SCOPE_VFIO_OPERATIONS(SCOPE_VFIO_PROGRAM)
