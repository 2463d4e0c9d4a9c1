# SPDX-License-Identifier: GPL-2.0-only
#
# The tool, bin/iommuscope: all of tools/ with the skeletons of all BPF programs.

find_package(PkgConfig REQUIRED)
pkg_check_modules(TOOL_LIBS REQUIRED IMPORTED_TARGET libbpf libelf zlib libmicrohttpd
	gnutls libcrypt yaml-0.1 ncursesw)

# An include names the layer: "observe/latency.h" is in tools/, "bpf/latency.h" and
# "tracepoints/vfio_op.h" are beside it, skeletons are in the build folder's bpf/.
add_library(tool-headers INTERFACE)
target_include_directories(tool-headers INTERFACE ${CMAKE_SOURCE_DIR}/tools ${CMAKE_SOURCE_DIR})
# our warnings do not apply to generated code
target_include_directories(tool-headers SYSTEM INTERFACE ${CMAKE_BINARY_DIR})

file(GLOB_RECURSE tool_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/*.c)
if(tool_sources)
	add_executable(iommuscope ${tool_sources} ${PAGE_ASSETS})
	add_dependencies(iommuscope bpf version-header)
	target_include_directories(iommuscope PRIVATE ${CMAKE_BINARY_DIR}/generated)
	target_link_libraries(iommuscope PRIVATE tool-headers iommuscope-uapi PkgConfig::TOOL_LIBS m pthread)
	# objects are rebuilt when a skeleton that they include changes
	install(TARGETS iommuscope RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
endif()

if(EXISTS ${CMAKE_SOURCE_DIR}/dashboards)
	install(DIRECTORY ${CMAKE_SOURCE_DIR}/dashboards/grafana ${CMAKE_SOURCE_DIR}/dashboards/prometheus
		DESTINATION ${CMAKE_INSTALL_DATADIR}/iommuscope/dashboards COMPONENT dashboards
		FILES_MATCHING PATTERN "*.json" PATTERN "*.yml")
	install(PROGRAMS ${CMAKE_SOURCE_DIR}/dashboards/prometheus/configure
		DESTINATION ${CMAKE_INSTALL_DATADIR}/iommuscope/dashboards/prometheus COMPONENT dashboards)
endif()
if(EXISTS ${CMAKE_SOURCE_DIR}/tools/bcc)
	install(DIRECTORY ${CMAKE_SOURCE_DIR}/tools/bcc/
		DESTINATION ${CMAKE_INSTALL_DATADIR}/iommuscope/bcc USE_SOURCE_PERMISSIONS)
endif()
