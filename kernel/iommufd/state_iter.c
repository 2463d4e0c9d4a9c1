// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF iterators over contexts, devices, HWPTs, IOASes, accesses and areas.
 *
 * Each iterator is three kernel functions, as the verifier requires: new starts a walk, next yields
 * a record of iommufd_state.h, or NULL at the end, and destroy ends the walk.  A walk over objects
 * visits all contexts in the order of numbers and ids and can start anywhere.  A program that runs
 * out of space can therefore continue later where it stopped.
 *
 * Iterators may sleep briefly when an IOAS is busy.  They are available only to programs that user
 * space runs (SEC("syscall")), because a program attached to a kernel function may run where
 * sleeping is not allowed.  A loaded program keeps the module loaded, and the verifier makes sure
 * that every walk is ended.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ctx.h"
#include "state.h"

/**
 * struct walk - a walk in progress
 * @ictx: the context that is being walked, or NULL
 * @ctx_id: number of the context at which to continue
 * @object_id: id of the object at which to continue
 * @iova: IOVA of the area at which to continue
 * @type: enum iommufd_object_type of the objects
 * @ended: nothing is left
 * @record: the record that was yielded last
 */
struct walk {
	struct iommufd_ctx *ictx;
	u32 ctx_id;
	u32 object_id;
	u64 iova;
	enum iommufd_object_type type;
	bool ended;
	union {
		struct iommufd_state_ctx ctx;
		struct iommufd_state_device device;
		struct iommufd_state_hwpt hwpt;
		struct iommufd_state_ioas ioas;
		struct iommufd_state_access access;
		struct iommufd_state_area area;
		char room[IOMMUFD_STATE_MAX_SIZE];
	} record;
};

/* The handle that BPF programs have on their stack. */
struct walk_handle {
	struct walk *walk;
};

static int walk_begin(void *it, enum iommufd_object_type type, u32 ctx_id, u32 object_id, u64 iova)
{
	struct walk_handle *handle = it;

	BUILD_BUG_ON(sizeof(((struct walk *)0)->record) != IOMMUFD_STATE_MAX_SIZE);
	handle->walk = kzalloc(sizeof(*handle->walk), GFP_KERNEL_ACCOUNT);
	if (!handle->walk)
		return -ENOMEM;
	handle->walk->type = type;
	handle->walk->ctx_id = ctx_id;
	handle->walk->object_id = object_id;
	handle->walk->iova = iova;
	return 0;
}

static void walk_end(void *it)
{
	struct walk_handle *handle = it;

	if (!handle->walk)
		return;
	if (handle->walk->ictx)
		iommufd_ctx_let_go(handle->walk->ictx);
	kfree(handle->walk);
}

/* Enters the context at which to continue, or the next one after it; false after the last one. */
static bool enter_ctx(struct walk *walk)
{
	u32 wanted = walk->ctx_id;

	walk->ictx = iommufd_ctx_look_up(&walk->ctx_id);
	if (walk->ctx_id != wanted)
		walk->object_id = 0;
	return walk->ictx;
}

static void leave_ctx(struct walk *walk)
{
	iommufd_ctx_let_go(walk->ictx);
	walk->ictx = NULL;
	walk->object_id = 0;
	if (walk->ctx_id++ == U32_MAX)
		walk->ended = true;
}

static void *next_ctx(struct walk *walk)
{
	if (walk->ended || !enter_ctx(walk))
		return NULL;
	iommufd_state_of_ctx(walk->ictx, &walk->record.ctx);
	leave_ctx(walk);
	return &walk->record;
}

static void *next_object(struct walk *walk)
{
	while (!walk->ended && !fatal_signal_pending(current)) {
		struct iommufd_object *obj;

		if (!walk->ictx && !enter_ctx(walk))
			break;
		obj = iommufd_object_get_next(walk->ictx, &walk->object_id, walk->type);
		if (!obj) {
			leave_ctx(walk);
			cond_resched();
			continue;
		}
		iommufd_state_of_object(walk->ictx, obj, &walk->record);
		iommufd_object_put(walk->ictx, obj);
		/* No overflow: the largest id is below U32_MAX. */
		walk->object_id++;
		return &walk->record;
	}
	walk->ended = true;
	return NULL;
}

static void *next_area(struct walk *walk)
{
	struct iommufd_object *obj;
	u32 id = walk->object_id;
	int rc = -ENOENT;
	u64 last;

	if (walk->ended)
		return NULL;
	walk->ended = true;
	if (!walk->ictx) {
		u32 ctx_id = walk->ctx_id;

		walk->ictx = iommufd_ctx_look_up(&ctx_id);
		if (!walk->ictx || ctx_id != walk->ctx_id)
			return NULL;
	}
	/*
	 * Looked up by id every time: between two records the IOAS may be destroyed, without
	 * waiting for us.
	 */
	obj = iommufd_object_get_next(walk->ictx, &id, IOMMUFD_OBJECT_IOAS);
	if (!obj)
		return NULL;
	if (id == walk->object_id)
		rc = iommufd_state_of_area(container_of(obj, struct iommufd_ioas, obj), walk->iova,
					   &walk->record.area);
	iommufd_object_put(walk->ictx, obj);
	if (rc)
		return NULL;
	/* If the areas cannot be read, the walk ends with a record that says so. */
	if (walk->record.area.flags & IOMMUFD_STATE_AREA_BUSY)
		return &walk->record;
	last = walk->record.area.iova + (walk->record.area.length - 1);
	walk->iova = last + 1;
	walk->ended = last == U64_MAX || fatal_signal_pending(current);
	cond_resched();
	return &walk->record;
}

__bpf_kfunc_start_defs();

/*
 * An iterator over the objects of a type: struct bpf_iter_iommufd_NAME.  It starts at an object id
 * of a context; start both at 0 to walk over everything.
 */
#define OBJECT_ITERATOR(name, object_type)                                                         \
	struct bpf_iter_iommufd_##name {                                                           \
		__u64 __opaque[1];                                                                 \
	} __aligned(8);                                                                            \
                                                                                                   \
	__bpf_kfunc int bpf_iter_iommufd_##name##_new(struct bpf_iter_iommufd_##name *it,          \
						      u32 ctx_id, u32 object_id);                  \
	__bpf_kfunc int bpf_iter_iommufd_##name##_new(struct bpf_iter_iommufd_##name *it,          \
						      u32 ctx_id, u32 object_id)                   \
	{                                                                                          \
		BUILD_BUG_ON(sizeof(*it) != sizeof(struct walk_handle));                           \
		return walk_begin(it, object_type, ctx_id, object_id, 0);                          \
	}                                                                                          \
                                                                                                   \
	__bpf_kfunc struct iommufd_state_##name *                                                  \
	bpf_iter_iommufd_##name##_next(struct bpf_iter_iommufd_##name *it);                        \
	__bpf_kfunc struct iommufd_state_##name *                                                  \
	bpf_iter_iommufd_##name##_next(struct bpf_iter_iommufd_##name *it)                         \
	{                                                                                          \
		struct walk_handle *handle = (void *)it;                                           \
                                                                                                   \
		return handle->walk ? next_object(handle->walk) : NULL;                            \
	}                                                                                          \
                                                                                                   \
	__bpf_kfunc void bpf_iter_iommufd_##name##_destroy(struct bpf_iter_iommufd_##name *it);    \
	__bpf_kfunc void bpf_iter_iommufd_##name##_destroy(struct bpf_iter_iommufd_##name *it)     \
	{                                                                                          \
		walk_end(it);                                                                      \
	}

OBJECT_ITERATOR(device, IOMMUFD_OBJECT_DEVICE)
OBJECT_ITERATOR(hwpt, IOMMUFD_OBJECT_HWPT)
OBJECT_ITERATOR(ioas, IOMMUFD_OBJECT_IOAS)
OBJECT_ITERATOR(access, IOMMUFD_OBJECT_ACCESS)

/* Iterates over contexts, starting at a context's number. */
struct bpf_iter_iommufd_ctx {
	__u64 __opaque[1];
} __aligned(8);

__bpf_kfunc int bpf_iter_iommufd_ctx_new(struct bpf_iter_iommufd_ctx *it, u32 ctx_id);
__bpf_kfunc int bpf_iter_iommufd_ctx_new(struct bpf_iter_iommufd_ctx *it, u32 ctx_id)
{
	return walk_begin(it, IOMMUFD_OBJECT_NONE, ctx_id, 0, 0);
}

__bpf_kfunc struct iommufd_state_ctx *bpf_iter_iommufd_ctx_next(struct bpf_iter_iommufd_ctx *it);
__bpf_kfunc struct iommufd_state_ctx *bpf_iter_iommufd_ctx_next(struct bpf_iter_iommufd_ctx *it)
{
	struct walk_handle *handle = (void *)it;

	return handle->walk ? next_ctx(handle->walk) : NULL;
}

__bpf_kfunc void bpf_iter_iommufd_ctx_destroy(struct bpf_iter_iommufd_ctx *it);
__bpf_kfunc void bpf_iter_iommufd_ctx_destroy(struct bpf_iter_iommufd_ctx *it)
{
	walk_end(it);
}

/* Iterates over the areas of one IOAS, starting at an IOVA. */
struct bpf_iter_iommufd_area {
	__u64 __opaque[1];
} __aligned(8);

__bpf_kfunc int bpf_iter_iommufd_area_new(struct bpf_iter_iommufd_area *it, u32 ctx_id,
					  u32 ioas_id, u64 iova);
__bpf_kfunc int bpf_iter_iommufd_area_new(struct bpf_iter_iommufd_area *it, u32 ctx_id,
					  u32 ioas_id, u64 iova)
{
	return walk_begin(it, IOMMUFD_OBJECT_IOAS, ctx_id, ioas_id, iova);
}

__bpf_kfunc struct iommufd_state_area *bpf_iter_iommufd_area_next(struct bpf_iter_iommufd_area *it);
__bpf_kfunc struct iommufd_state_area *bpf_iter_iommufd_area_next(struct bpf_iter_iommufd_area *it)
{
	struct walk_handle *handle = (void *)it;

	return handle->walk ? next_area(handle->walk) : NULL;
}

__bpf_kfunc void bpf_iter_iommufd_area_destroy(struct bpf_iter_iommufd_area *it);
__bpf_kfunc void bpf_iter_iommufd_area_destroy(struct bpf_iter_iommufd_area *it)
{
	walk_end(it);
}

__bpf_kfunc_end_defs();

#define ITERATOR_IDS(name)                                                                         \
	BTF_ID_FLAGS(func, bpf_iter_iommufd_##name##_new, KF_ITER_NEW | KF_SLEEPABLE)              \
	BTF_ID_FLAGS(func, bpf_iter_iommufd_##name##_next,                                         \
		     KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE)                                    \
	BTF_ID_FLAGS(func, bpf_iter_iommufd_##name##_destroy, KF_ITER_DESTROY | KF_SLEEPABLE)

BTF_KFUNCS_START(iterator_ids)
ITERATOR_IDS(ctx)
ITERATOR_IDS(device)
ITERATOR_IDS(hwpt)
ITERATOR_IDS(ioas)
ITERATOR_IDS(access)
ITERATOR_IDS(area)
BTF_KFUNCS_END(iterator_ids)

static const struct btf_kfunc_id_set iterator_set = {
	.owner = THIS_MODULE,
	.set = &iterator_ids,
};

/**
 * iommufd_state_iter_init() - register the iterators for BPF programs
 *
 * Return: 0, also if the module has no BTF and so nothing to register, or a negative errno.
 */
int iommufd_state_iter_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &iterator_set);
}
