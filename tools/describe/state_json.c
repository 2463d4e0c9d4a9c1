// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of iommufd as JSON: the kernel's records, one object each.
 */
#include <stddef.h>

#include "describe/names.h"
#include "describe/state_json.h"
#include "machine/pci_ids.h"
#include "observe/state.h"
#include "text/json.h"

const char *memory_name(uint32_t memory)
{
	static const char *const names[IOMMUFD_STATE_NR_MEMORY] = {
		[IOMMUFD_STATE_MEMORY_UNKNOWN] = "unknown",
		[IOMMUFD_STATE_MEMORY_ANONYMOUS] = "anonymous",
		[IOMMUFD_STATE_MEMORY_SHARED] = "shared",
		[IOMMUFD_STATE_MEMORY_FILE] = "file",
		[IOMMUFD_STATE_MEMORY_HUGETLB] = "hugetlb",
	};

	return names[memory < IOMMUFD_STATE_NR_MEMORY ? memory : IOMMUFD_STATE_MEMORY_UNKNOWN];
}

static void json_ctx(struct json *json, const struct iommufd_state_ctx *ctx)
{
	json_object(json, NULL);
	json_u64(json, "ctx", ctx->ctx_id);
	json_u64(json, "pid", ctx->pid);
	json_string(json, "process", ctx->comm);
	json_bool(json, "process_gone", ctx->flags & IOMMUFD_STATE_CTX_PROCESS_GONE);
	json_u64(json, "uid", ctx->uid);
	json_string(json, "rlimit_mode",
		    ctx->flags & IOMMUFD_STATE_CTX_ACCOUNT_PROCESS ? "process" : "user");
	json_bool(json, "no_iommu", ctx->flags & IOMMUFD_STATE_CTX_NO_IOMMU);
	json_u64(json, "vfio_ioas", ctx->vfio_ioas_id);
	json_u64(json, "opened_ns", ctx->opened_ns);
	json_u64(json, "pinned_bytes", ctx->pinned_bytes);
	json_u64(json, "user_locked_bytes", ctx->user_locked_bytes);
	json_end_object(json);
}

static void json_device(struct json *json, const struct iommufd_state_device *device)
{
	json_object(json, NULL);
	json_u64(json, "ctx", device->ctx_id);
	json_u64(json, "device_id", device->device_id);
	json_string(json, "device", device->device);
	json_string(json, "name", pci_device_name(device->device));
	json_string(json, "driver", device->driver);
	json_u64(json, "group", device->group_id);
	json_string(json, "iommu", device->iommu);
	json_string(json, "iommu_driver", device->iommu_driver);
	json_bool(json, "attached", device->flags & IOMMUFD_STATE_DEVICE_ATTACHED);
	json_u64(json, "hwpt", device->hwpt_id);
	json_u64(json, "ioas", device->ioas_id);
	json_u64(json, "group_devices_attached", device->group_devices);
	json_bool(json, "can_enforce_cache_coherency",
		  device->flags & IOMMUFD_STATE_DEVICE_ENFORCE_COHERENCY);
	json_u64(json, "replacements", device->replacements);
	json_u64(json, "last_replacement_ns", device->last_replace_ns);
	json_u64(json, "last_replacement_duration_ns", device->last_replace_dur_ns);
	json_end_object(json);
}

static void json_hwpt(struct json *json, const struct iommufd_state_hwpt *hwpt)
{
	unsigned int bit;

	json_object(json, NULL);
	json_u64(json, "ctx", hwpt->ctx_id);
	json_u64(json, "hwpt", hwpt->hwpt_id);
	json_u64(json, "ioas", hwpt->ioas_id);
	json_string(json, "type", domain_type_name(hwpt->domain_type));
	json_bool(json, "automatic", hwpt->flags & IOMMUFD_STATE_HWPT_AUTO);
	json_bool(json, "nest_parent", hwpt->flags & IOMMUFD_STATE_HWPT_NEST_PARENT);
	json_bool(json, "enforces_cache_coherency",
		  hwpt->flags & IOMMUFD_STATE_HWPT_ENFORCE_COHERENCY);
	json_bool(json, "msi_window", hwpt->flags & IOMMUFD_STATE_HWPT_MSI_WINDOW);
	json_u64(json, "devices", hwpt->devices);
	json_string(json, "iommu_driver", hwpt->iommu_driver);
	json_array(json, "page_sizes_bytes");
	for (bit = 0; bit < 64; bit++)
		if (hwpt->pgsize_bitmap & 1ULL << bit)
			json_u64(json, NULL, 1ULL << bit);
	json_end_array(json);
	json_u64(json, "aperture_first", hwpt->aperture_first);
	json_u64(json, "aperture_last", hwpt->aperture_last);
	json_end_object(json);
}

/* What is behind a lock that the kernel did not get is not known. */
static void json_space(struct json *json, const char *key, const struct iommufd_state_ioas *ioas,
		       uint64_t value)
{
	if (ioas->flags & IOMMUFD_STATE_IOAS_BUSY)
		json_null(json, key);
	else
		json_u64(json, key, value);
}

static void json_ioas(struct json *json, const struct iommufd_state_ioas *ioas)
{
	json_object(json, NULL);
	json_u64(json, "ctx", ioas->ctx_id);
	json_u64(json, "ioas", ioas->ioas_id);
	json_u64(json, "hwpts", ioas->hwpts);
	json_u64(json, "accesses", ioas->accesses);
	json_bool(json, "huge_pages", ioas->flags & IOMMUFD_STATE_IOAS_HUGE_PAGES);
	json_u64(json, "areas", ioas->areas);
	json_u64(json, "mapped_bytes", ioas->mapped_bytes);
	json_u64(json, "pinned_bytes", ioas->pinned_bytes);
	json_u64(json, "extents", ioas->extents);
	json_u64(json, "huge_extents", ioas->huge_extents);
	json_u64(json, "huge_bytes", ioas->huge_bytes);
	json_u64(json, "iova_alignment_bytes", ioas->iova_alignment);
	json_space(json, "usable_ranges", ioas, ioas->usable_ranges);
	json_bool(json, "allowed_ranges", ioas->flags & IOMMUFD_STATE_IOAS_ALLOWED_RANGES);
	json_space(json, "aperture_first", ioas, ioas->aperture_first);
	json_space(json, "aperture_last", ioas, ioas->aperture_last);
	json_space(json, "usable_bytes", ioas, ioas->usable_bytes);
	json_space(json, "largest_hole_bytes", ioas, ioas->largest_hole_bytes);
	json_space(json, "alloc_hole_bytes", ioas, ioas->alloc_hole_bytes);
	json_bool(json, "busy", ioas->flags & IOMMUFD_STATE_IOAS_BUSY);
	json_end_object(json);
}

static void json_access(struct json *json, const struct iommufd_state_access *access)
{
	json_object(json, NULL);
	json_u64(json, "ctx", access->ctx_id);
	json_u64(json, "access", access->access_id);
	json_u64(json, "ioas", access->ioas_id);
	json_bool(json, "pins", access->flags & IOMMUFD_STATE_ACCESS_PINS);
	json_u64(json, "pinned_bytes", access->pinned_bytes);
	json_end_object(json);
}

void state_json_area(struct json *json, const struct iommufd_state_area *area)
{
	json_object(json, NULL);
	json_u64(json, "iova", area->iova);
	json_u64(json, "length_bytes", area->length);
	json_u64(json, "user_va", area->user_va);
	json_u64(json, "pid", area->pid);
	json_bool(json, "readable", area->flags & IOMMUFD_STATE_AREA_READ);
	json_bool(json, "writeable", area->flags & IOMMUFD_STATE_AREA_WRITE);
	json_bool(json, "pinned", area->flags & IOMMUFD_STATE_AREA_PINNED);
	json_bool(json, "changing", area->flags & IOMMUFD_STATE_AREA_CHANGING);
	json_bool(json, "busy", area->flags & IOMMUFD_STATE_AREA_BUSY);
	json_string(json, "memory", memory_name(area->memory));
	json_u64(json, "page_bytes", area->page_bytes);
	json_u64(json, "accesses", area->accesses);
	json_u64(json, "extents", area->extents);
	json_u64(json, "huge_extents", area->huge_extents);
	json_u64(json, "huge_bytes", area->huge_bytes);
	json_end_object(json);
}

void state_json(struct json *json, const struct state *state)
{
#define ARRAY(name, array, write)                       \
	do {                                            \
		size_t i;                               \
                                                        \
		json_array(json, name);                 \
		for (i = 0; i < state->nr_##array; i++) \
			write(json, &state->array[i]);  \
		json_end_array(json);                   \
	} while (0)

	ARRAY("contexts", ctxs, json_ctx);
	ARRAY("devices", devices, json_device);
	ARRAY("hwpts", hwpts, json_hwpt);
	ARRAY("ioases", ioases, json_ioas);
	ARRAY("accesses", accesses, json_access);
#undef ARRAY
}
