// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routes of iommuscope export.
 */
#include <string.h>

#include "export/http.h"
#include "export/metrics.h"
#include "export/page.h"
#include "export/routes.h"

static void serve_healthy(struct exporter *exporter, const struct export_request *request,
			  struct export_reply *reply)
{
	(void)exporter;
	(void)request;
	export_text(reply, 200, "iommuscope export is healthy.\n");
}

static void serve_metrics(struct exporter *exporter, const struct export_request *request,
			  struct export_reply *reply)
{
	enum exposition_format format = exposition_choose(export_header(request, "Accept"));

	reply->type = exposition_type(format);
	reply->body = export_metrics(exporter, format, &reply->length);
	reply->owned = true;
	reply->headers[0].name = "Vary";
	reply->headers[0].value = "Accept";
}

static const struct export_route routes[] = {
	{ "/", serve_page },
	{ "/page.js", serve_page },
	{ "/page.css", serve_page },
	{ "/icon.svg", serve_page },
	{ "/live.json", serve_page_document },
	{ "/metrics", serve_metrics },
	{ "/-/healthy", serve_healthy },
};
#define NR_ROUTES (sizeof(routes) / sizeof(routes[0]))

const struct export_route *export_find_route(const char *path)
{
	size_t i;

	for (i = 0; i < NR_ROUTES; i++)
		if (!strcmp(path, routes[i].path))
			return &routes[i];
	return NULL;
}
