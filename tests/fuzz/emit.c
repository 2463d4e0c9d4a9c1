// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program written as C, to follow prelude.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "fuzz.h"

static const char *const slot_names[] = {
	"SLOT_IOAS", "SLOT_HWPT", "SLOT_DEVICE", "SLOT_STDEV", "SLOT_ACCESS_ID", "SLOT_PAGES",
	"SLOT_IOMMU", "SLOT_VFIO", "SLOT_GROUP", "SLOT_ACCESS", "SLOT_EVENT",
};

static const char *const area_names[] = {
	"AREA_DATA", "AREA_SMALL", "AREA_HUGE", "AREA_READ_ONLY", "AREA_NONE", "AREA_HOLE",
	"AREA_FAULT", "AREA_FILE", "AREA_KERNEL",
};

static const char *const place_names[] = {
	"PLACE_STACK", "PLACE_EDGE", "PLACE_READ_ONLY", "PLACE_FAULT", "PLACE_HOLE",
};

static void emit_value(const struct value *value)
{
	switch (value->mode) {
	case VALUE_SLOT:
		printf("slot(%s, %u)", slot_names[value->kind], value->slot);
		break;
	case VALUE_MEMORY:
		printf("area(%s, 0x%" PRIx64 ")", area_names[value->kind], value->number);
		break;
	default:
		printf("0x%" PRIx64 "ULL", value->number);
	}
}

static void emit_fd(const struct call *call)
{
	printf("(int)slot(%s, %u)", slot_names[call->fd.kind], call->fd.slot);
}

static void emit_struct(const struct call *call, const struct spec *spec)
{
	unsigned int i, takes = 0;

	printf("\tcall_struct(");
	emit_fd(call);
	printf(", 0x%lx, %u, %s,\n\t\t(struct put[]){", spec->request, spec->size,
	       place_names[call->place]);
	for (i = 0; i < spec->nr; i++) {
		printf("\n\t\t\t/* %s */ { %u, %u, ", spec->fields[i].name, spec->fields[i].offset,
		       spec->fields[i].width);
		emit_value(&call->values[i]);
		printf(" },");
	}
	printf("\n\t\t}, %u, (struct take[]){", spec->nr);
	for (i = 0; i < spec->nr; i++) {
		if (spec->fields[i].kind != FIELD_OUT)
			continue;
		printf(" { %u, %s, %u },", spec->fields[i].offset,
		       slot_names[spec->fields[i].param], call->out);
		takes++;
	}
	printf(" {} }, %u);\n", takes);
}

/* A function of prelude.h with the call's values */
static void emit_function(const char *name, const struct call *call, const struct spec *spec,
			  bool with_fd)
{
	unsigned int i;

	printf("\t%s(", name);
	if (with_fd)
		emit_fd(call);
	for (i = 0; i < spec->nr; i++) {
		printf("%s", i || with_fd ? ", " : "");
		emit_value(&call->values[i]);
	}
	printf(");\n");
}

static void emit_open(const struct call *call, const struct spec *spec, const char *path)
{
	printf("\ttake_fd(open(\"%s\", O_RDWR | O_CLOEXEC), %s, %u);\n", path,
	       slot_names[spec->returns - 1], call->out);
}

static void emit_call(const struct call *call, const struct nodes *nodes)
{
	const struct spec *spec = &specs[call->spec];
	unsigned int node = nodes->nr ? call->values[0].number % nodes->nr : 0;

	printf("\t/* %s */\n", spec->name);
	switch ((enum how)spec->how) {
	case HOW_STRUCT:
		emit_struct(call, spec);
		break;
	case HOW_NUMBER:
		printf("\tioctl(");
		emit_fd(call);
		printf(", 0x%lx, ", spec->request);
		emit_value(&call->values[0]);
		printf(");\n");
		break;
	case HOW_NAMED:
		printf("\ttake_fd(ioctl(");
		emit_fd(call);
		printf(", 0x%lx, \"%s\"), SLOT_VFIO, %u);\n", spec->request,
		       nodes->list[node].device, call->out);
		break;
	case HOW_OPEN_IOMMU:
		emit_open(call, spec, "/dev/iommu");
		break;
	case HOW_OPEN_VFIO:
		emit_open(call, spec, nodes->list[node].node);
		break;
	case HOW_OPEN_GROUP:
		emit_open(call, spec, nodes->list[node].group);
		break;
	case HOW_OPEN_EVENT:
		printf("\ttake_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), SLOT_EVENT, %u);\n",
		       call->out);
		break;
	case HOW_CLOSE:
		printf("\tput_slot(%s, %u, UINT32_MAX);\n", slot_names[spec->fd], call->fd.slot);
		break;
	case HOW_READ:
		emit_function("read_region", call, spec, true);
		break;
	case HOW_WRITE:
		emit_function("write_region", call, spec, true);
		break;
	case HOW_MAP_REGION:
		emit_function("map_region", call, spec, true);
		break;
	case HOW_ADVISE:
		emit_function("advise", call, spec, false);
		break;
	case HOW_PROTECT:
		emit_function("protect", call, spec, false);
		break;
	case HOW_REMAP:
		emit_function("map_again", call, spec, false);
		break;
	case HOW_FORK:
		printf("\tfork_once();\n");
		break;
	}
}

void emit(const struct program *program, const struct nodes *nodes)
{
	unsigned int thread, i;

	for (thread = 0; thread < program->threads; thread++) {
		printf("\nstatic void *thread_%u(void *arg)\n{\n", thread);
		for (i = 0; i < program->nr; i++)
			if (!program->calls[thread][i].skip)
				emit_call(&program->calls[thread][i], nodes);
		printf("\treturn arg;\n}\n");
	}
	printf("\nint main(void)\n{\n\tpthread_t threads[%u];\n\n\tmake_memory();\n",
	       program->threads);
	if (program->unprivileged)
		printf("\tlimit_memory();\n");
	if (program->kill_us)
		printf("\t/* its process was killed after %u us */\n\tualarm(%u, 0);\n",
		       program->kill_us, program->kill_us);
	for (i = 0; i < program->threads; i++)
		printf("\tpthread_create(&threads[%u], NULL, thread_%u, NULL);\n", i, i);
	for (i = 0; i < program->threads; i++)
		printf("\tpthread_join(threads[%u], NULL);\n", i);
	printf("\treturn 0;\n}\n");
}
