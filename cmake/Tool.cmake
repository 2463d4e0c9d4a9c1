# SPDX-License-Identifier: GPL-2.0-only
#
# The tool, bin/iommuscope: all of tools/*.c with the skeletons of all BPF programs.

find_package(PkgConfig REQUIRED)
pkg_check_modules(TOOL_LIBS REQUIRED IMPORTED_TARGET libbpf libelf zlib libmicrohttpd
	gnutls libcrypt yaml-0.1 ncursesw)

file(GLOB_RECURSE tool_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/*.c)
if(tool_sources)
	add_executable(iommuscope ${tool_sources} ${PAGE_ASSETS})
	add_dependencies(iommuscope bpf version-header)
	target_include_directories(iommuscope PRIVATE ${CMAKE_SOURCE_DIR}/tools
		${CMAKE_SOURCE_DIR}/bpf ${CMAKE_SOURCE_DIR}/tracepoints
		${CMAKE_BINARY_DIR}/generated)
	# generated code is not held to our warnings
	target_include_directories(iommuscope SYSTEM PRIVATE ${BPF_DIR})
	target_link_libraries(iommuscope PRIVATE iommuscope-uapi PkgConfig::TOOL_LIBS m pthread)
	# objects are rebuilt when a skeleton that they include is
	install(TARGETS iommuscope RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
endif()

if(EXISTS ${CMAKE_SOURCE_DIR}/dashboards)
	install(DIRECTORY ${CMAKE_SOURCE_DIR}/dashboards/grafana ${CMAKE_SOURCE_DIR}/dashboards/prometheus
		DESTINATION ${CMAKE_INSTALL_DATADIR}/iommuscope/dashboards COMPONENT dashboards
		FILES_MATCHING PATTERN "*.json" PATTERN "*.yml")
endif()
if(EXISTS ${CMAKE_SOURCE_DIR}/tools/bcc)
	install(DIRECTORY ${CMAKE_SOURCE_DIR}/tools/bcc/
		DESTINATION ${CMAKE_INSTALL_DATADIR}/iommuscope/bcc USE_SOURCE_PERMISSIONS)
endif()
