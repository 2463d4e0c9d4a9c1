# SPDX-License-Identifier: GPL-2.0-only
#
# The page that `iommuscope export` serves: bundled with packages from npm, and written as a C
# file, PAGE_ASSETS, that is linked into the tool. Without npm the file contains the reason, and
# nothing fails. Everything is in page/ of the build folder; remove that folder to build it again.

set(PAGE_SOURCES ${CMAKE_SOURCE_DIR}/dashboards/page)
set(PAGE_BUILD ${CMAKE_BINARY_DIR}/page)
set(PAGE_ASSETS ${PAGE_BUILD}/page_assets.c)
set(page_script ${CMAKE_SOURCE_DIR}/cmake/build-page.py)
file(GLOB page_files CONFIGURE_DEPENDS ${PAGE_SOURCES}/src/*)
add_custom_command(OUTPUT ${PAGE_ASSETS}
	COMMAND Python3::Interpreter -B ${page_script} --source ${PAGE_SOURCES} --build ${PAGE_BUILD}
		--output ${PAGE_ASSETS}
	DEPENDS ${page_script} ${page_files} ${PAGE_SOURCES}/build.mjs ${PAGE_SOURCES}/package.json
		${PAGE_SOURCES}/package-lock.json
	COMMENT "The page" VERBATIM)
