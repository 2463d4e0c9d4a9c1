// SPDX-License-Identifier: GPL-2.0-only
#include <microhttpd.h>
#include <string.h>

#include "export/http.h"

const char *export_header(const struct export_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void export_text(struct export_reply *reply, unsigned int status, const char *text)
{
	reply->status = status;
	reply->type = "text/plain; charset=utf-8";
	reply->body = (char *)text;
	reply->length = strlen(text);
	reply->owned = false;
}
