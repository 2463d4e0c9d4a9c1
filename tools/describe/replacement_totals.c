// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of totals of replacements.
 */
#include "describe/fields.h"
#include "observe/replacement.h"

static bool some_known(const struct replacement_total *total)
{
	return total->faults[FAULTS_known];
}

static void get_total_in_window(const void *record, struct value *value)
{
	const struct replacement_total *total = record;

	value->known = some_known(total);
	value->number = total->faults_in_window;
}

static void get_total_after(const void *record, struct value *value)
{
	const struct replacement_total *total = record;

	value->known = some_known(total);
	value->number = total->faults_after;
}

static void get_total_at_least(const void *record, struct value *value)
{
	const struct replacement_total *total = record;

	value->number = total->faults_at_least ||
			(some_known(total) &&
			 total->faults[FAULTS_none_reported] + total->faults[FAULTS_not_watched]);
}

static const void *total_window(const void *record, size_t number)
{
	return number ? NULL : &((const struct replacement_total *)record)->window;
}

static const void *total_duration(const void *record, size_t number)
{
	return number ? NULL : &((const struct replacement_total *)record)->duration;
}

#define NOT_KNOWN .unknown = "the number of faults is not known"

#define VERDICT_FIELD(name, label)                                                \
	MEMBER(NUMBER, #name, struct replacement_total, verdicts[VERDICT_##name], \
	       .doc = "replacements with the verdict *" label "*"),

static const struct field verdicts[] = { REPLACEMENT_VERDICTS(VERDICT_FIELD) };

static const struct field_table verdict_fields = FIELD_TABLE("verdicts", verdicts);

static const struct field total[] = {
	MEMBER(NUMBER, "count", struct replacement_total, count, .doc = "how many there were"),
	FIELD(OBJECT, "verdicts", .table = &verdict_fields, .element = field_itself,
	      .doc = "number of replacements with each verdict"),
	FIELD(NUMBER, "faults_in_window", .get = get_total_in_window, NOT_KNOWN,
	      .doc = "faults while there was no translation"),
	FIELD(NUMBER, "faults_after", .get = get_total_after, NOT_KNOWN,
	      .doc = "faults after the window, until one second after the replacement"),
	FIELD(FLAG, "faults_at_least", .get = get_total_at_least,
	      .doc = "there may have been more faults than were counted"),
	MEMBER(NUMBER, "faults_none_reported", struct replacement_total,
	       faults[FAULTS_none_reported],
	       .doc = "replacements for which a source of faults was watched and reported none"),
	MEMBER(NUMBER, "faults_not_watched", struct replacement_total, faults[FAULTS_not_watched],
	       .doc = "replacements for which no source of faults could be watched"),
	FIELD(OBJECT, "window", .table = &times_fields, .element = total_window,
	      .doc = "time without translation, 0 included, where it was measured"),
	FIELD(OBJECT, "duration", .table = &times_fields, .element = total_duration,
	      .doc = "how long the replacements took"),
};

static const struct field_table total_fields = FIELD_TABLE("total of replacements", total);

static const struct field device_total[] = {
	MEMBER(TEXT, "device", struct replacement_total, label, .unknown = "no device is named",
	       .doc = "name of the device"),
	INCLUDE(total_fields, field_itself),
};

static const struct field driver_total[] = {
	MEMBER(TEXT, "iommu_driver", struct replacement_total, label,
	       .unknown = "the event has none", .doc = "driver of the IOMMU"),
	INCLUDE(total_fields, field_itself),
};

static const struct field_table device_total_fields =
	FIELD_TABLE("total of a device", device_total);
static const struct field_table driver_total_fields =
	FIELD_TABLE("total of an IOMMU driver", driver_total);

static const void *nth_device(const void *record, size_t number)
{
	const struct replacement_totals *totals = replacements_by_device(record);

	return number < totals->nr ? &totals->totals[number] : NULL;
}

static const void *nth_driver(const void *record, size_t number)
{
	const struct replacement_totals *totals = replacements_by_driver(record);

	return number < totals->nr ? &totals->totals[number] : NULL;
}

static const struct field device_totals[] = {
	FIELD(LIST, "devices", .table = &device_total_fields, .element = nth_device,
	      .doc = "totals by device"),
};

const struct field_table device_totals_fields = FIELD_TABLE("totals by device", device_totals);

static void get_stray_faults(const void *record, struct value *value)
{
	value->number = replacements_stray_faults(record);
}

static void get_lost(const void *record, struct value *value)
{
	value->number = replacements_lost(record);
}

static const struct field all_totals[] = {
	INCLUDE(device_totals_fields, field_itself),
	FIELD(LIST, "iommu_drivers", .table = &driver_total_fields, .element = nth_driver,
	      .doc = "totals by IOMMU driver"),
	FIELD(NUMBER, "stray_faults", .get = get_stray_faults,
	      .doc = "faults outside of all replacements"),
	FIELD(NUMBER, "lost", .get = get_lost, .doc = "number of records lost because they came too fast"),
};

const struct field_table replacement_totals_fields =
	FIELD_TABLE("totals of replacements", all_totals);
