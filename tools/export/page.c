// SPDX-License-Identifier: GPL-2.0-only
/*
 * A browser on this host may show the page of another user's machine.  So the page may run only its
 * own files, and connect only to this exporter.
 */
#include <stdio.h>
#include <string.h>

#include "export/exporter.h"
#include "export/http.h"
#include "export/page.h"
#include "export/page_assets.h"
#include "export/page_document.h"
#include "text/output.h"

#define POLICY                                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void add_header(struct export_reply *reply, const char *name, const char *value)
{
	unsigned int i;

	for (i = 0; i < EXPORT_MAX_HEADERS; i++) {
		if (reply->headers[i].name)
			continue;
		reply->headers[i].name = name;
		reply->headers[i].value = value;
		return;
	}
}

static void add_policy(struct export_reply *reply)
{
	add_header(reply, "Content-Security-Policy", POLICY);
	add_header(reply, "Referrer-Policy", "no-referrer");
	add_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
}

static const struct page_asset *find_asset(const char *path)
{
	const struct page_asset *asset;

	for (asset = page_assets; asset->path; asset++)
		if (!strcmp(asset->path, path))
			return asset;
	return NULL;
}

void serve_page(struct exporter *exporter, const struct export_request *request,
		struct export_reply *reply)
{
	const struct page_asset *asset = find_asset(request->path);
	const char *known = export_header(request, "If-None-Match");
	static char missing[200];

	(void)exporter;
	add_policy(reply);
	if (!asset) {
		snprintf(missing, sizeof(missing),
			 "This iommuscope was built without its page: %s.\n"
			 "Metrics are at /metrics.\n", page_missing ? page_missing : "no such file");
		export_text(reply, 404, missing);
		return;
	}
	/* a new build may have other files of the same names, so revalidate each time */
	add_header(reply, "Cache-Control", "no-cache");
	add_header(reply, "ETag", asset->etag);
	if (known && strstr(known, asset->etag)) {
		export_text(reply, 304, "");
		return;
	}
	reply->type = asset->type;
	reply->body = (char *)asset->data;
	reply->length = asset->size;
}

void serve_page_document(struct exporter *exporter, const struct export_request *request,
			 struct export_reply *reply)
{
	FILE *file = open_memstream(&reply->body, &reply->length);

	(void)request;
	if (!file)
		out_of_memory();
	page_document(exporter, file);
	if (fclose(file))
		out_of_memory();
	reply->type = "application/json";
	reply->owned = true;
	add_policy(reply);
	add_header(reply, "Cache-Control", "no-store");
}
