/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the benchmark share.
 *
 * Model: the program owns its buffers (memory.c) throughout its run, so that each side measures
 * exactly the same physical pages. A session (device.c) is one side's open iommufd and bound
 * device; it lives from one switch of the modules to the next. A case (cases.c, areas.c, kmem.c)
 * borrows a session and leaves its address space empty. Every figure is printed as one JSON line
 * (output.c). There is one thread and no recovery: a call that fails ends the program with its
 * name, because figures around a failure mean nothing.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KIB		1024ULL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define PAGE		4096ULL
#define HUGE_PAGE	(2 * MIB)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* IOVAs of the cases start here: clear of x86's MSI window below 4 GiB and of 32-bit limits */
#define IOVA_BASE	(16 * GIB)

enum memory_kind {
	MEM_4K,		/* 4 KiB pages touched in order: physically as they come */
	MEM_SCATTERED,	/* 4 KiB pages touched in random order: hardly two in a row */
	MEM_THP,	/* transparent huge pages */
	MEM_HUGETLB,	/* hugetlb, 2 MiB */
	MEM_KINDS,
};

struct buffer {
	enum memory_kind kind;
	uint8_t *va;
	size_t size;
};

struct session {
	int iommufd;
	int device;
	uint32_t dev_id;
	uint32_t ioas_id;
};

/* The start of every JSON line of one pass */
struct origin {
	const char *side;
	unsigned int round;
};

struct samples {
	uint64_t *ns;
	size_t count;
	size_t room;
};

/* output.c */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
uint64_t now_ns(void);
void samples_add(struct samples *s, uint64_t ns);
void samples_free(struct samples *s);
void print_samples(const struct origin *o, const char *name, const char *memory, size_t areas,
		   uint64_t bytes, const struct samples *s);
void print_origin(const struct origin *o, const char *name);
unsigned long read_ulong(const char *path);
void write_ulong(const char *path, unsigned long value);

/* memory.c */
const char *memory_name(enum memory_kind kind);
void reserve_hugetlb(size_t bytes);
void buffer_create(struct buffer *b, enum memory_kind kind, size_t size);
void buffer_create_untouched(struct buffer *b, enum memory_kind kind, size_t size);
void buffer_destroy(struct buffer *b);
size_t buffer_runs(const struct buffer *b);
uint64_t random_u64(void);

/* device.c */
void session_open(struct session *s, const char *node);
void session_close(struct session *s);
void device_replace(struct session *s, uint32_t id);
void ioas_renew(struct session *s);
void ioas_allow(struct session *s, uint64_t start, uint64_t last);
uint64_t ioas_map(struct session *s, void *va, uint64_t length, uint64_t iova);
uint64_t ioas_map_anywhere(struct session *s, void *va, uint64_t length);
uint64_t ioas_unmap(struct session *s, uint64_t iova, uint64_t length);
void ioas_unmap_all(struct session *s);
uint32_t ioas_copy_all(struct session *s, uint64_t iova, uint64_t length);
uint32_t hwpt_alloc(struct session *s);
void object_destroy(struct session *s, uint32_t id);

/* cases.c */
void case_bulk(const struct origin *o, struct session *s, const struct buffer *b, unsigned int reps);
void case_replace(const struct origin *o, struct session *s, const struct buffer *b,
		  unsigned int reps);
void case_first_touch(const struct origin *o, struct session *s, enum memory_kind kind, size_t size,
		      unsigned int reps);
void case_pair(const struct origin *o, struct session *s, const struct buffer *b, unsigned int reps);

/* areas.c */
void case_areas(const struct origin *o, struct session *s, struct session *few,
		const struct buffer *b, size_t areas, unsigned int reps);

/* kmem.c */
long long pinned_pages(void);
void case_kernel_memory(const struct origin *o, struct session *s, enum memory_kind kind,
			size_t size);
void case_area_memory(const struct origin *o, struct session *s, const struct buffer *b,
		      size_t areas);

#endif /* BENCH_H */
