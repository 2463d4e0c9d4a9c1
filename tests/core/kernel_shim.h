/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel interfaces that the pure code of the pin/map core uses, on a host. The red-black
 * tree is a plain binary tree here: the test is about the augmentation that the core adds to it,
 * and an unbalanced tree only makes its paths longer.
 */
#ifndef IOMMUSCOPE_TESTS_KERNEL_SHIM_H
#define IOMMUSCOPE_TESTS_KERNEL_SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <assert.h>
#include <linux/ioctl.h>
#include <linux/types.h>

/* From here on: the kernel's part of our own headers. */
#define __KERNEL__

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef uint64_t phys_addr_t;
typedef unsigned int gfp_t;

#define __user
#define TASK_COMM_LEN	16
#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PMD_SIZE	(1UL << 21)
#define PUD_SIZE	(1UL << 30)
#define GFP_KERNEL	0
#define GFP_KERNEL_ACCOUNT 0
#define IOMMU_READ	1
#define IOMMU_WRITE	2
#define IOMMU_CACHE	4

#define min(a, b)	((a) < (b) ? (a) : (b))
#define max(a, b)	((a) > (b) ? (a) : (b))
#define ALIGN(x, a)	(((x) + ((a) - 1)) & ~((a) - 1))
#define __ffs(x)	((unsigned long)__builtin_ctzl(x))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define struct_size(p, member, n) (sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define READ_ONCE(x)	(x)
#define WRITE_ONCE(x, value) ((x) = (value))
#undef static_assert
#define static_assert(expr) _Static_assert(expr, #expr)
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))
#define struct_group(name, ...) union { struct { __VA_ARGS__ }; struct { __VA_ARGS__ } name; }
#define WARN_ON(x)	assert(!(x))
#define WARN_ON_ONCE(x)	({ bool warn_ = !!(x); assert(!warn_); warn_; })
#define IS_ERR(p)	((uintptr_t)(p) >= (uintptr_t)-4095)
#define ERR_CAST(p)	((void *)(p))
#define ERR_PTR(err)	((void *)(intptr_t)(err))

/* Every allocation can be made to fail: the n-th from now on. */
extern long shim_fail_after;
void *shim_alloc(size_t size);
#define kmalloc(size, gfp)		shim_alloc(size)
#define kmalloc_array(n, size, gfp)	shim_alloc((n) * (size))
#define kvmalloc(size, gfp)		shim_alloc(size)
#define kvmalloc_array(n, size, gfp)	shim_alloc((n) * (size))
#define kfree(p)			free((void *)(p))
#define kvfree(p)			free((void *)(p))

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { int refs; } refcount_t;
struct kref { refcount_t refcount; };
#define kref_put(k, release) ((void)(k), (void)(release))
struct mutex { int locked; };
typedef struct { int locked; } spinlock_t;
struct rw_semaphore { int held; };
#define down_read(l)		((l)->held++)
#define down_read_trylock(l)	((l)->held++, true)
#define up_read(l)		((l)->held--)
#define down_write(l)		((l)->held++)
#define down_write_trylock(l)	((l)->held++, true)
#define up_write(l)		((l)->held--)
#define down_read_killable(l)	((l)->held++, 0)
#define down_write_killable(l)	((l)->held++, 0)
#define mutex_lock_killable(l)	((l)->locked++, 0)
#define cond_resched()		do { } while (0)
#define fatal_signal_pending(t)	false
#define lockdep_assert_held(l)		assert((l)->held)
#define lockdep_assert_held_write(l)	assert((l)->held)
typedef struct { int unused; } wait_queue_head_t;
struct xarray { int unused; };

#define DECLARE_STATIC_KEY_FALSE(name) extern bool name
#define static_branch_unlikely(key) (*(key))
#define DECLARE_TRACEPOINT(name)
#define tracepoint_enabled(name) false
#define IS_ENABLED(CONFIG_OPTION) 0
#define __cold
#define __percpu
#define __must_check

/* Nothing is observed here: no clock is ever read. */
#define NSEC_PER_MSEC		1000000L
#define likely(x)		(x)
#define unlikely(x)		(x)
#define mul_u64_u64_div_u64(a, b, c) ((u64)((__uint128_t)(a) * (b) / (c)))
#define mul_u64_u64_shr(a, b, shift) ((u64)((__uint128_t)(a) * (b) >> (shift)))
static inline u64 ktime_get_ns(void)
{
	return 0;
}

enum iommu_domain_shim { IOMMU_DOMAIN_SHIM };
struct iommu_domain_geometry { u64 aperture_start, aperture_end; bool force_aperture; };
struct iommu_domain {
	unsigned long pgsize_bitmap;
	struct iommu_domain_geometry geometry;
};
struct iommu_iotlb_gather;
struct iommufd_access;
struct iommufd_ctx;
struct page;
struct file;

struct list_head { struct list_head *next, *prev; };
#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }
static inline void INIT_LIST_HEAD(struct list_head *list) { list->next = list->prev = list; }
static inline bool list_empty(const struct list_head *list) { return list->next == list; }
static inline bool list_is_last(const struct list_head *item, const struct list_head *list)
{
	return item->next == list;
}
static inline void list_add_tail(struct list_head *item, struct list_head *list)
{
	item->prev = list->prev;
	item->next = list;
	list->prev->next = item;
	list->prev = item;
}
static inline void list_del(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
}
static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	while (!list_empty(from)) {
		struct list_head *item = from->next;

		list_del(item);
		list_add_tail(item, to);
	}
}
static inline size_t list_count_nodes(struct list_head *list)
{
	struct list_head *item;
	size_t nr = 0;

	for (item = list->next; item != list; item = item->next)
		nr++;
	return nr;
}
#define list_entry(p, type, member) container_of(p, type, member)
#define list_for_each_entry(p, list, member)                                                       \
	for (p = list_entry((list)->next, typeof(*p), member); &p->member != (list);               \
	     p = list_entry(p->member.next, typeof(*p), member))
#define list_for_each_entry_safe(p, n, list, member)                                               \
	for (p = list_entry((list)->next, typeof(*p), member),                                     \
	     n = list_entry(p->member.next, typeof(*p), member); &p->member != (list);             \
	     p = n, n = list_entry(n->member.next, typeof(*n), member))

struct rb_node { struct rb_node *parent, *rb_left, *rb_right; };
struct rb_root { struct rb_node *rb_node; };
struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node, struct rb_node *stop);
	void (*copy)(struct rb_node *from, struct rb_node *to);
};
#define RB_ROOT ((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(root) (!(root)->rb_node)
#define rb_parent(node) ((node)->parent)
#define rb_entry(p, type, member) container_of(p, type, member)
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment);
#define rb_insert_augmented(node, root, augment) ((void)(node))

#define RB_DECLARE_CALLBACKS_MAX(scope, name, type, field, value_type, best, value)                \
static bool name##_compute(type *node)                                                             \
{                                                                                                  \
	value_type largest = value(node), old = node->best;                                        \
                                                                                                   \
	if (node->field.rb_left)                                                                   \
		largest = max(largest, rb_entry(node->field.rb_left, type, field)->best);          \
	if (node->field.rb_right)                                                                  \
		largest = max(largest, rb_entry(node->field.rb_right, type, field)->best);         \
	node->best = largest;                                                                      \
	return old == largest;                                                                     \
}                                                                                                  \
static void name##_propagate(struct rb_node *rb, struct rb_node *stop)                             \
{                                                                                                  \
	for (; rb != stop; rb = rb->parent) {                                                      \
		if (name##_compute(rb_entry(rb, type, field)))                                     \
			break;                                                                     \
	}                                                                                          \
}                                                                                                  \
static void name##_copy(struct rb_node *from, struct rb_node *to)                                  \
{                                                                                                  \
	rb_entry(to, type, field)->best = rb_entry(from, type, field)->best;                       \
}                                                                                                  \
scope const struct rb_augment_callbacks name = { name##_propagate, name##_copy };

#endif
