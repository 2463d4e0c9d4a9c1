/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of the page, as bundled by the build.
 */
#ifndef IOMMUSCOPE_EXPORT_PAGE_ASSETS_H
#define IOMMUSCOPE_EXPORT_PAGE_ASSETS_H

#include <stddef.h>

/**
 * struct page_asset - a file
 * @path: where it is served: "/page.js"
 * @type: its media type
 * @etag: tag of its content, with the quotes
 * @data: the content
 * @size: number of bytes
 */
struct page_asset {
	const char *path;
	const char *type;
	const char *etag;
	const unsigned char *data;
	size_t size;
};

/* All files, ended by one without a path; there are none if @page_missing is set. */
extern const struct page_asset page_assets[];

/* Why the tool was built without the page, or NULL. */
extern const char *const page_missing;

#endif
