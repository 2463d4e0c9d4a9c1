# SPDX-License-Identifier: GPL-2.0-only
#
# generated/version.h: the project's version, with the commit if git knows it. It is written again
# when the checkout moves, which git's log of HEAD shows, so a build without a change has nothing
# to do.

find_package(Git QUIET)
set(VERSION_HEADER ${CMAKE_BINARY_DIR}/generated/version.h)
set(version_depends ${CMAKE_SOURCE_DIR}/CMakeLists.txt)
if(GIT_FOUND)
	execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD
		WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE head_log
		OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
	if(head_log)
		get_filename_component(head_log ${head_log} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
		if(EXISTS ${head_log})
			list(APPEND version_depends ${head_log})
		endif()
	endif()
endif()

add_custom_command(OUTPUT ${VERSION_HEADER}
	COMMAND ${CMAKE_COMMAND} -DOUTPUT=${VERSION_HEADER} -DVERSION=${PROJECT_VERSION}
		-DGIT=${GIT_EXECUTABLE} -P ${CMAKE_SOURCE_DIR}/cmake/write-version.cmake
	WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
	DEPENDS ${version_depends} ${CMAKE_SOURCE_DIR}/cmake/write-version.cmake
	COMMENT "Version" VERBATIM)
add_custom_target(version-header DEPENDS ${VERSION_HEADER})
