# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages, by CPack: in a build folder of the preset "package", `ninja package`.
#
#   iommuscope             the tool, its manual page, completion, unit and scripts
#   iommuscope-dkms        the modules' sources, built for each kernel that is installed
#   iommuscope-dashboards  dashboards and rules
#
# The COMPONENT of its install() decides which package a file belongs to. The sources of the
# modules do not even contain test support.

set(dkms_source src/${PROJECT_NAME}-${PROJECT_VERSION})
configure_file(${CMAKE_SOURCE_DIR}/packaging/dkms/dkms.conf.in dkms/dkms.conf @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/dkms/dkms.conf DESTINATION ${dkms_source}
	COMPONENT dkms EXCLUDE_FROM_ALL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/kernel DESTINATION ${dkms_source}
	COMPONENT dkms EXCLUDE_FROM_ALL
	FILES_MATCHING PATTERN "*.[ch]" PATTERN "Kbuild"
	PATTERN "mock" EXCLUDE
	PATTERN "test_hook.c" EXCLUDE
	PATTERN "iommufd_test.h" EXCLUDE)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/tracepoints DESTINATION ${dkms_source}
	COMPONENT dkms EXCLUDE_FROM_ALL
	FILES_MATCHING PATTERN "*.h"
	PATTERN "abi" EXCLUDE)

install(FILES ${CMAKE_SOURCE_DIR}/tools/completion/iommuscope.bash
	DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME iommuscope)
file(GLOB units CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/packaging/systemd/*)
install(FILES ${units} DESTINATION lib/systemd/system)

# Compress a file without a time stamp, so that two builds of the same sources are identical.
function(compress from to)
	execute_process(COMMAND gzip -9nc ${from} OUTPUT_FILE ${to} COMMAND_ERROR_IS_FATAL ANY)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${from})
endfunction()

set(prepared ${CMAKE_BINARY_DIR}/packaging)
file(MAKE_DIRECTORY ${prepared})
file(GLOB man_pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.[1-8])
foreach(page ${man_pages})
	get_filename_component(name ${page} NAME)
	string(REGEX REPLACE ".*\\.([1-8])$" "\\1" section ${page})
	compress(${page} ${prepared}/${name}.gz)
	install(FILES ${prepared}/${name}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# The documents that Debian's policy requires
configure_file(${CMAKE_SOURCE_DIR}/packaging/debian/changelog.in packaging/changelog.Debian @ONLY)
compress(${prepared}/changelog.Debian ${prepared}/changelog.Debian.gz)
compress(${CMAKE_SOURCE_DIR}/CHANGELOG.md ${prepared}/changelog.gz)
foreach(component iommuscope dkms dashboards)
	set(package ${PROJECT_NAME}-${component})
	if(component STREQUAL ${PROJECT_NAME})
		set(package ${PROJECT_NAME})
	endif()
	install(FILES ${CMAKE_SOURCE_DIR}/packaging/debian/copyright
		${prepared}/changelog.gz ${prepared}/changelog.Debian.gz
		DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

foreach(script postinst prerm postrm)
	configure_file(${CMAKE_SOURCE_DIR}/packaging/debian/dkms.${script}.in
		packaging/dkms/${script} @ONLY FILE_PERMISSIONS
		OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL iommuscope dkms dashboards)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# whatever umask the build has
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_CONTACT "iommuscope maintainers <maintainers@iommuscope.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_COMPONENT_IOMMUSCOPE_DESCRIPTION "shows what happens inside of VFIO and iommufd
Latency of every operation on I/O address spaces by phase, the state of every
device, what a replacement of a translation did to running DMA, why a call
failed, what is pinned and how close to its limit.
.
It observes the kernel's own VFIO and iommufd through BPF: it needs no module and
changes nothing on the host. The modules in iommuscope-dkms show more.")
set(CPACK_DEBIAN_IOMMUSCOPE_PACKAGE_NAME iommuscope)
set(CPACK_DEBIAN_IOMMUSCOPE_PACKAGE_SHLIBDEPS ON)
# the BCC scripts need Python; lat --stacks loads libbpfcc's library if it is installed
set(CPACK_DEBIAN_IOMMUSCOPE_PACKAGE_DEPENDS python3)
# not recommended, since apt would install it: the modules replace the kernel's VFIO
set(CPACK_DEBIAN_IOMMUSCOPE_PACKAGE_SUGGESTS
	"iommuscope-dkms, iommuscope-dashboards, libbpfcc, python3-bpfcc")

set(CPACK_COMPONENT_DKMS_DESCRIPTION "iommufd and VFIO device nodes as modules (DKMS source)
The kernels of Debian are built without CONFIG_IOMMUFD. These modules provide
/dev/iommu and the device nodes of VFIO with the kernel's own interface, and
tracepoints on all of it. They take the place of the kernel's modules vfio,
vfio-pci-core and vfio-pci for as long as this package is installed.")
set(CPACK_DEBIAN_DKMS_PACKAGE_NAME iommuscope-dkms)
set(CPACK_DEBIAN_DKMS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DKMS_PACKAGE_SECTION kernel)
# pahole: without it a module has no BTF, and the tool sees less
set(CPACK_DEBIAN_DKMS_PACKAGE_DEPENDS "dkms (>= 3), dwarves")
set(CPACK_DEBIAN_DKMS_PACKAGE_RECOMMENDS "linux-headers-6.12-amd64 | linux-headers-amd64")
set(CPACK_DEBIAN_DKMS_PACKAGE_SUGGESTS iommuscope)
set(CPACK_DEBIAN_DKMS_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/packaging/dkms/postinst
	${CMAKE_BINARY_DIR}/packaging/dkms/prerm ${CMAKE_BINARY_DIR}/packaging/dkms/postrm)

set(CPACK_COMPONENT_DASHBOARDS_DESCRIPTION "dashboards and alerts for iommuscope
Grafana dashboards, and Prometheus rules with the alerts, for the metrics of
I/O address translation that the exporter of iommuscope serves.")
set(CPACK_DEBIAN_DASHBOARDS_PACKAGE_NAME iommuscope-dashboards)
set(CPACK_DEBIAN_DASHBOARDS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DASHBOARDS_PACKAGE_SUGGESTS "prometheus, iommuscope")
include(CPack)
