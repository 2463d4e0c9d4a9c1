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
 * serve_page() - serve a file of the page
 * @exporter: unused
 * @request: its path selects the file
 * @reply: filled in; if the page was not built, explains why
 */
void serve_page(struct exporter *exporter, const struct export_request *request,
		struct export_reply *reply);

/**
 * serve_page_document() - serve the document of the page, as JSON
 * @exporter: the observation
 * @request: unused
 * @reply: filled in
 */
void serve_page_document(struct exporter *exporter, const struct export_request *request,
			 struct export_reply *reply);

#endif
