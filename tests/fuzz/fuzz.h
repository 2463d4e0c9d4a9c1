/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer of /dev/iommu and the VFIO nodes: what its files share.
 *
 * A round is one program, made from one seed: a list of calls for each of its threads. A call
 * does not hold ids, descriptors or addresses, but slots: "the IOAS of slot 2", "the memory of
 * kind userfault, at this offset". A call that succeeds puts its result into a slot. So a program
 * has the same meaning in every run, any of its calls can be left out, and the rest can be
 * written as a C program.
 *
 * All threads share the slots; which thread gets a slot first is intentionally random.
 *
 * generate.c makes programs from the table of calls.c; execute.c runs them in a process of their
 * own; emit.c writes them as C; main.c runs the rounds.
 */
#ifndef IOMMUSCOPE_FUZZ_H
#define IOMMUSCOPE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_FIELDS 14
#define MAX_THREADS 4
#define MAX_CALLS 192
#define NR_SLOTS 6
#define MAX_STRUCT 256

/* The content of a slot: ids of objects, or descriptors. */
enum slot_kind {
	SLOT_IOAS,
	SLOT_HWPT,
	SLOT_DEVICE,
	SLOT_STDEV,
	SLOT_ACCESS_ID,
	SLOT_PAGES,
	SLOT_IOMMU,
	SLOT_VFIO,
	SLOT_GROUP,
	SLOT_ACCESS,
	SLOT_EVENT,
	NR_SLOT_KINDS,
	FIRST_FD_KIND = SLOT_IOMMU,
};

/* Kinds of memory that a program's process has. */
enum area {
	AREA_DATA,	/* holds what arrays in arguments may be */
	AREA_SMALL,
	AREA_HUGE,
	AREA_READ_ONLY,
	AREA_NONE,
	AREA_HOLE,	/* not mapped */
	AREA_FAULT,	/* userfaultfd serves it, late */
	AREA_FILE,	/* a file that ends in its middle */
	AREA_KERNEL,	/* no user address */
	NR_AREAS,
};

#define AREA_SIZE ((uint64_t)2 << 20)

enum mode {
	VALUE_CONST,
	VALUE_SLOT,
	VALUE_MEMORY,
};

/**
 * struct value - a number that a call passes
 * @mode: the meaning of the other members
 * @kind: enum slot_kind or enum area
 * @slot: which
 * @number: the number itself, or an offset in the area
 */
struct value {
	uint8_t mode;
	uint8_t kind;
	uint8_t slot;
	uint64_t number;
};

/* The kind of a field of an argument. */
enum field_kind {
	FIELD_SIZE,	/* of the structure */
	FIELD_SLOT,	/* id or descriptor: @param is its kind */
	FIELD_PT,	/* id of an IOAS or HWPT */
	FIELD_ANY,	/* id of anything */
	FIELD_FLAGS,	/* @param: the flags there are, most often all of them */
	FIELD_RARE_FLAGS, /* the same, most often none */
	FIELD_ONE_OF_EACH, /* of two groups of three bits */
	FIELD_BIT,	/* one of the first @param */
	FIELD_FEATURE,	/* number of a feature, and what to do with it */
	FIELD_UP_TO,	/* a number of at most @param */
	FIELD_IOVA,
	FIELD_LENGTH,
	FIELD_MEMORY,
	FIELD_DATA,	/* address of an array */
	FIELD_ZERO,
	FIELD_IS,	/* @param */
	FIELD_OUT,	/* the call returns what goes into a slot of kind @param */
};

struct field {
	const char *name;
	uint16_t offset;
	uint8_t width;
	uint8_t kind;
	uint64_t param;
};

/* How a call is made. */
enum how {
	HOW_STRUCT,	/* ioctl(fd, request, &argument) */
	HOW_NUMBER,	/* ioctl(fd, request, first field) */
	HOW_NAMED,	/* ioctl(fd, request, name of a device) */
	HOW_OPEN_IOMMU,
	HOW_OPEN_VFIO,
	HOW_OPEN_GROUP,
	HOW_OPEN_EVENT,
	HOW_CLOSE,
	HOW_READ,
	HOW_WRITE,
	HOW_MAP_REGION,
	HOW_ADVISE,
	HOW_PROTECT,
	HOW_REMAP,
	HOW_FORK,
};

/**
 * struct spec - a kind of call
 * @name: for people, and of the ioctl in C
 * @how: how it is made
 * @fd: kind of the descriptor it is made on
 * @weight: how often it is chosen
 * @request: number of the ioctl
 * @size: of its structure
 * @returns: 1 + kind of slot that the call's return value goes to, or 0
 * @nr: how many fields
 * @fields: its fields
 */
struct spec {
	const char *name;
	uint8_t how;
	uint8_t fd;
	uint8_t weight;
	unsigned long request;
	uint16_t size;
	uint8_t returns;
	uint8_t nr;
	struct field fields[MAX_FIELDS];
};

extern const struct spec specs[];
extern const unsigned int nr_specs;

/* The location of a call's structure. */
enum place {
	PLACE_STACK,
	PLACE_EDGE,	/* its last byte is the last one that is mapped */
	PLACE_READ_ONLY,
	PLACE_FAULT,
	PLACE_HOLE,
};

/**
 * struct call - a call of a program
 * @spec: index in @specs
 * @place: where its structure lies
 * @fd: the descriptor it is made on
 * @out: slot for its result
 * @values: those of the spec's fields
 * @skip: it is left out
 */
struct call {
	uint16_t spec;
	uint8_t place;
	uint8_t out;
	bool skip;
	struct value fd;
	struct value values[MAX_FIELDS];
};

/**
 * struct program - a round
 * @seed: it was made from
 * @threads: how many
 * @nr: calls of each thread
 * @unprivileged: it runs without CAP_IPC_LOCK, under a limit
 * @kill_us: its process is killed after this time; 0: it ends by itself
 * @calls: the calls
 */
struct program {
	uint64_t seed;
	unsigned int threads;
	unsigned int nr;
	bool unprivileged;
	unsigned int kill_us;
	struct call calls[MAX_THREADS][MAX_CALLS];
};

/* The devices, found once. */
struct nodes {
	unsigned int nr;
	struct {
		char device[32];
		char node[64];
		char group[64];
	} list[8];
};

void generate(struct program *program, uint64_t seed);

/**
 * execute() - run a program in this process
 * @program: the program
 * @nodes: the devices
 * @done: counts calls that succeeded, by spec; shared memory
 * @failed: the same for those that did not
 *
 * Does not return.
 */
void __attribute__((noreturn)) execute(const struct program *program, const struct nodes *nodes,
				       unsigned long *done, unsigned long *failed);

void emit(const struct program *program, const struct nodes *nodes);

#endif
