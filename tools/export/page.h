/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The routes of the page: its files, and the document that it reads once a second.
 */
#ifndef IOMMUSCOPE_EXPORT_PAGE_H
#define IOMMUSCOPE_EXPORT_PAGE_H

struct exporter;
struct export_request;
struct export_reply;

/**
 * serve_page() - a file of the page
 * @exporter: unused
 * @request: its path says which
 * @reply: filled in; says why there is no page where it was not built
 */
void serve_page(struct exporter *exporter, const struct export_request *request,
		struct export_reply *reply);

/**
 * serve_page_document() - what the page shows, as JSON
 * @exporter: the observation
 * @request: unused
 * @reply: filled in
 */
void serve_page_document(struct exporter *exporter, const struct export_request *request,
			 struct export_reply *reply);

#endif
