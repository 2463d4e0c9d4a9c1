/* SPDX-License-Identifier: GPL-2.0-only */
/* What the unit tests share. */
#ifndef IOMMUSCOPE_UNIT_H
#define IOMMUSCOPE_UNIT_H

#include <string.h>

#include "tap.h"

#define CHECK_TEXT(_got, _wanted)                                                                  \
	do {                                                                                       \
		const char *unit_got = (_got), *unit_wanted = (_wanted);                           \
		if (strcmp(unit_got, unit_wanted))                                                 \
			tap_fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", #_got, unit_got,    \
				 unit_wanted);                                                     \
	} while (0)

#endif
