/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The document that the page reads: all it shows, as one JSON object.
 */
#ifndef IOMMUSCOPE_EXPORT_PAGE_DOCUMENT_H
#define IOMMUSCOPE_EXPORT_PAGE_DOCUMENT_H

#include <stdio.h>

#include "text/fields.h"

struct exporter;

/* The document's description. */
extern const struct field_table page_fields;

/**
 * page_document() - write the document
 * @exporter: the observation; refreshed first
 * @file: where to
 *
 * Counts are those since the exporter started: who reads twice has what came between.
 */
void page_document(struct exporter *exporter, FILE *file);

#endif
