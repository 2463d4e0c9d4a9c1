// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the tool: code that needs no kernel. */
#include <stddef.h>

#include "tap.h"

int main(int argc, char **argv)
{
	return tap_main(argc, argv, NULL, NULL);
}
