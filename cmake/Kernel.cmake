# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's side of the build: the headers, their uAPI for user space, the modules.
#
#   iommuscope-uapi          interface library: the kernel's own linux/iommufd.h, linux/vfio.h
#   modules                  target: all modules, in lib/modules-lab
#   modules_install          target: into lib/modules/RELEASE/updates of the running system
#   IOMMUSCOPE_MODULES_STAMP file that is new when a module is

set(LAB_KERNEL ${CMAKE_BINARY_DIR}/kernel/current)
set(LAB_MODULES ${CMAKE_BINARY_DIR}/lib/modules-lab)
# the distribution's Python, not another one that comes first in PATH
if(EXISTS /usr/bin/python3)
	set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

if(KDIR)
	set(KERNEL_HEADERS ${KDIR})
else()
	set(KERNEL_HEADERS ${LAB_KERNEL}/headers)
endif()
if(NOT EXISTS ${KERNEL_HEADERS}/Makefile)
	message(FATAL_ERROR "No kernel headers in ${KERNEL_HEADERS}: "
		"run './dev setup' for the lab's kernel, or give -DKDIR=")
endif()

# The half of the headers that all configurations share may be elsewhere; the makefile names its
# path.
set(KERNEL_COMMON ${KERNEL_HEADERS})
file(STRINGS ${KERNEL_HEADERS}/Makefile include_line REGEX "^include /.*/Makefile$" LIMIT_COUNT 1)
if(include_line)
	string(REGEX REPLACE "^include (/.*)/Makefile$" "\\1" KERNEL_COMMON ${include_line})
elseif(EXISTS ${KERNEL_HEADERS}/source/include/uapi)
	set(KERNEL_COMMON ${KERNEL_HEADERS}/source)
endif()

set(UAPI_DIR ${CMAKE_BINARY_DIR}/uapi/include)
set(uapi_headers)
foreach(name iommufd vfio)
	set(from ${KERNEL_COMMON}/include/uapi/linux/${name}.h)
	set(to ${UAPI_DIR}/linux/${name}.h)
	file(MAKE_DIRECTORY ${UAPI_DIR}/linux)
	# the script looks for its helper, unifdef, below the current directory
	add_custom_command(OUTPUT ${to}
		COMMAND sh scripts/headers_install.sh ${from} ${to}
		WORKING_DIRECTORY ${KERNEL_HEADERS}
		DEPENDS ${from} COMMENT "uAPI linux/${name}.h" VERBATIM)
	list(APPEND uapi_headers ${to})
endforeach()
add_custom_target(uapi-headers DEPENDS ${uapi_headers})
add_library(iommuscope-uapi INTERFACE)
target_include_directories(iommuscope-uapi SYSTEM INTERFACE ${UAPI_DIR})
add_dependencies(iommuscope-uapi uapi-headers)

set(IOMMUSCOPE_MODULES_STAMP)
if(NOT IOMMUSCOPE_MODULES)
	return()
endif()

file(GLOB_RECURSE module_sources CONFIGURE_DEPENDS
	${CMAKE_SOURCE_DIR}/kernel/*.[ch] ${CMAKE_SOURCE_DIR}/kernel/*Kbuild
	${CMAKE_SOURCE_DIR}/kernel/*Makefile ${CMAKE_SOURCE_DIR}/tracepoints/*.h)
# a removed file must be noticed too: its name is part of the command
string(SHA1 module_sources_hash "${module_sources}")

foreach(name IOMMUSCOPE_TESTING VFIO_GROUP)
	if(${name})
		list(APPEND kbuild_variables ${name}=y)
	else()
		list(APPEND kbuild_variables ${name}=n)
	endif()
endforeach()

set(IOMMUSCOPE_MODULES_STAMP ${CMAKE_BINARY_DIR}/modules.stamp)
set(build_modules ${CMAKE_SOURCE_DIR}/cmake/build-modules.py)
set(lab_version)
if(NOT KDIR)
	set(lab_version ${LAB_KERNEL}/version)
endif()
add_custom_command(OUTPUT ${IOMMUSCOPE_MODULES_STAMP}
	COMMAND Python3::Interpreter -B ${build_modules} --source ${CMAKE_SOURCE_DIR}
		--mirror ${CMAKE_BINARY_DIR}/modules --collect ${LAB_MODULES}
		--kdir ${KERNEL_HEADERS} --files ${module_sources_hash}
		--stamp ${IOMMUSCOPE_MODULES_STAMP} ${kbuild_variables}
	DEPENDS ${module_sources} ${build_modules} ${lab_version}
	COMMENT "Kernel modules" VERBATIM)
add_custom_target(modules ALL DEPENDS ${IOMMUSCOPE_MODULES_STAMP})

add_custom_target(modules_install
	COMMAND make -C ${KERNEL_HEADERS} M=${CMAKE_BINARY_DIR}/modules/kernel ${kbuild_variables}
		INSTALL_MOD_DIR=updates modules_install
	DEPENDS modules USES_TERMINAL VERBATIM)

# The guest's /lib/modules/RELEASE.
if(NOT KDIR)
	file(STRINGS ${LAB_KERNEL}/release lab_release LIMIT_COUNT 1)
	set(lab_tree ${CMAKE_BINARY_DIR}/lib/modules/${lab_release})
	set(module_tree ${CMAKE_SOURCE_DIR}/tests/lab/module-tree)
	add_custom_command(OUTPUT ${lab_tree}/modules.dep
		COMMAND ${module_tree} ${LAB_KERNEL} ${LAB_MODULES} ${lab_tree}
		DEPENDS ${IOMMUSCOPE_MODULES_STAMP} ${module_tree} ${LAB_KERNEL}/version
		COMMENT "Index of the guest's modules" VERBATIM)
	add_custom_target(lab-module-tree ALL DEPENDS ${lab_tree}/modules.dep)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${LAB_KERNEL}/version)
endif()
