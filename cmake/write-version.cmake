# SPDX-License-Identifier: GPL-2.0-only
# Run as a script: write OUTPUT from VERSION and GIT's description of the checkout.
set(commit "")
if(GIT)
	execute_process(COMMAND ${GIT} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit
		OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
	execute_process(COMMAND ${GIT} describe --exact-match --match v${VERSION} HEAD
		RESULT_VARIABLE released OUTPUT_QUIET ERROR_QUIET)
	if(released EQUAL 0)
		set(commit "")
	endif()
endif()
if(commit)
	set(VERSION "${VERSION}-g${commit}")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IOMMUSCOPE_VERSION_H
#define IOMMUSCOPE_VERSION_H

#define IOMMUSCOPE_VERSION \"${VERSION}\"

#endif
")
file(TOUCH ${OUTPUT})
