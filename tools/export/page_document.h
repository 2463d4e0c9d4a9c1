/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The document that the page reads: all it shows, as one JSON object.
 */
#ifndef IOMMUSCOPE_EXPORT_PAGE_DOCUMENT_H
#define IOMMUSCOPE_EXPORT_PAGE_DOCUMENT_H

#include <stdio.h>

#include "text/fields.h"

struct exporter;

/* The fields of the document. */
extern const struct field_table page_fields;

/**
 * page_document() - write the document
 * @exporter: the observation; refreshed first
 * @file: the output
 *
 * Counts are since the start of the exporter; the page computes differences.
 */
void page_document(struct exporter *exporter, FILE *file);

#endif
