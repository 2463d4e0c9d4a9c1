# SPDX-License-Identifier: GPL-2.0-only
#
# Tests.
#
#   iommuscope_add_test_program(NAME SOURCES file... [LIBS lib...])
#       builds tests/bin/NAME, which is in the PATH of guests
#   iommuscope_add_host_test(NAME [TIMEOUT sec] [LABELS label...] COMMAND ...)
#       runs on the host
#   iommuscope_add_vm_test(NAME [VM machine] [TIMEOUT sec] [LABELS label...] [SPOILS] COMMAND ...)
#       runs in a guest. The machine is intel, amd, virtio or none [default: intel], with the
#       suffix -nomodules to boot without our modules, or options as for './dev vm', e.g.
#       "--iommu amd --mem 4G". Tests of the same machine share one boot. A test that SPOILS its
#       machine may leave it changed; the machine is booted anew after it. With DEBUG kasan or
#       kcsan the long run also runs it on these debug kernels
#   iommuscope_add_debug_test(NAME KIND kasan|kcsan [VM machine] [TIMEOUT sec] COMMAND ...)
#       runs as KIND.NAME in a guest with that debug kernel, in the long run only
#   iommuscope_add_beside_test(NAME VM machine [TIMEOUT sec] [DEBUG kasan] COMMAND ...)
#       runs on the host while a machine is up; $LAB_EXEC is the command line that runs a
#       command in the guest, $LAB_MONITOR the one that sends a command to QEMU's monitor.
#       DEBUG as above
#   iommuscope_add_bench(NAME [VM machine] [TIMEOUT sec] COMMAND ...)
#       runs in a guest with './dev bench'
#
# A command prints TAP, or is one point by its exit status (77: skipped, its last line is the
# reason). Lines in the guest's kernel log during a test belong to the test: a warning or worse
# fails it. So does anything that a test leaves behind in its machine, which is then booted anew
# for the next one. At most two machines are up: intel, or a machine of the lab's own tests, and
# one of the others (a machine is one busy thread of the host). Host tests run beside them.
#
# TIMEOUT is in seconds of an idle machine: a busy one gets more time.

set(LAB_DIR ${CMAKE_SOURCE_DIR}/tests/lab)
set(TEST_RESULTS ${CMAKE_BINARY_DIR}/tests/results)
set(TEST_BIN ${CMAKE_BINARY_DIR}/tests/bin)

function(iommuscope_add_test_program name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
	add_executable(${name} ${arg_SOURCES})
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${TEST_BIN})
	target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}
		${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/tracepoints)
	target_link_libraries(${name} PRIVATE iommuscope-uapi ${arg_LIBS})
	add_dependencies(${name} version-header)
endfunction()

function(_lab_tap name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS;CONFIG;FLAGS;COMMAND")
	set(config)
	if(arg_CONFIG)
		set(config CONFIGURATIONS ${arg_CONFIG})
	endif()
	add_test(NAME ${name} ${config} COMMAND ${LAB_DIR}/tap run --name ${name} --results ${TEST_RESULTS}
		--timeout ${arg_TIMEOUT} ${arg_FLAGS} -- ${arg_COMMAND})
	# The runner ends the test itself, and its limit grows with the load. ctest's limit cannot
	# grow; it is for a runner that hangs.
	math(EXPR limit "(${arg_TIMEOUT} + 600) * 20")
	set_tests_properties(${name} PROPERTIES TIMEOUT ${limit} SKIP_RETURN_CODE 77)
	# as in a guest
	set_tests_properties(${name} PROPERTIES ENVIRONMENT_MODIFICATION
		"PATH=path_list_prepend:${TEST_BIN};PATH=path_list_prepend:${CMAKE_BINARY_DIR}/bin")
	if(arg_LABELS)
		set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
	endif()
endfunction()

function(iommuscope_add_host_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS;COMMAND")
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 120)
	endif()
	_lab_tap(${name} TIMEOUT ${arg_TIMEOUT} LABELS host ${arg_LABELS} COMMAND ${arg_COMMAND})
endfunction()

# The lock that tests take so that no other machine of their kind is up: see above. Machines of a
# config are of one kind.
function(_lab_lock machine config out)
	if(config OR machine STREQUAL "intel")
		set(${out} vm PARENT_SCOPE)
	else()
		set(${out} vm-other PARENT_SCOPE)
	endif()
endfunction()

# Declare the machine that @spec names, unless it is declared already: a test that boots it and
# one that ends it, around all tests that use it. Sets @out to its name.
function(_lab_machine spec config out)
	if(spec MATCHES "^-")
		separate_arguments(options UNIX_COMMAND "${spec}")
		string(MD5 hash "${spec}")
		string(SUBSTRING ${hash} 0 6 hash)
		set(name custom-${hash})
		if(spec MATCHES "^--(iommu|debug-kernel) ([a-z]+)")
			set(name ${CMAKE_MATCH_2}-${hash})
		endif()
	elseif(spec MATCHES "^(intel|amd|virtio|none)(-nomodules)?$")
		set(name ${spec})
		set(options --iommu ${CMAKE_MATCH_1})
		if(CMAKE_MATCH_2)
			list(APPEND options --no-modules)
		endif()
	else()
		message(FATAL_ERROR "no such machine: ${spec}")
	endif()
	if(config)
		string(PREPEND name ${config}-)
	endif()
	set(${out} ${name} PARENT_SCOPE)

	_lab_lock(${name} "${config}" lock)
	get_property(known GLOBAL PROPERTY LAB_MACHINES_${lock}${config})
	if(name IN_LIST known)
		return()
	endif()
	set(vm ${LAB_DIR}/vm --build ${CMAKE_BINARY_DIR})
	# a debug kernel takes longer to boot, and looks for leaks at its end
	set(times 1)
	if(spec MATCHES "^--debug-kernel ([a-z]+)")
		set(times ${LAB_SLOWNESS_${CMAKE_MATCH_1}})
	endif()
	math(EXPR start "${times} * 400")
	math(EXPR stop "${times} * 200")
	_lab_tap(lab.start.${name} TIMEOUT ${start} CONFIG ${config} LABELS vm FLAGS --fixture
		COMMAND ${vm} start ${name} ${options})
	_lab_tap(lab.stop.${name} TIMEOUT ${stop} CONFIG ${config} LABELS vm FLAGS --fixture
		COMMAND ${vm} stop ${name})
	set_tests_properties(lab.start.${name} PROPERTIES FIXTURES_SETUP vm-${name} RESOURCE_LOCK ${lock})
	set_tests_properties(lab.stop.${name} PROPERTIES FIXTURES_CLEANUP vm-${name} RESOURCE_LOCK ${lock})
	if(known)
		# one machine after the other, whichever of them a run skips
		list(TRANSFORM known PREPEND lab.stop. OUTPUT_VARIABLE before)
		set_tests_properties(lab.start.${name} PROPERTIES DEPENDS "${before}")
	endif()
	set_property(GLOBAL APPEND PROPERTY LAB_MACHINES_${lock}${config} ${name})
	if(spec MATCHES "^--debug-kernel ([a-z]+)")
		_lab_debug_kernel(${CMAKE_MATCH_1})
		set_tests_properties(lab.start.${name} PROPERTIES FIXTURES_REQUIRED kernel-${CMAKE_MATCH_1})
	endif()
endfunction()

# Declare the test that builds a debug kernel, before all tests that use it.
function(_lab_debug_kernel kind)
	get_property(known GLOBAL PROPERTY LAB_DEBUG_KERNELS)
	if(kind IN_LIST known)
		return()
	endif()
	set_property(GLOBAL APPEND PROPERTY LAB_DEBUG_KERNELS ${kind})
	_lab_tap(lab.kernel.${kind} TIMEOUT 7200 CONFIG long LABELS long ${kind} FLAGS --fixture
		COMMAND ${LAB_DIR}/vm --build ${CMAKE_BINARY_DIR} prepare --debug-kernel ${kind})
	set_tests_properties(lab.kernel.${kind} PROPERTIES FIXTURES_SETUP kernel-${kind} PROCESSORS 2)
endfunction()

# @after: the action after the end of the test, an option of 'vm exec'
function(_lab_vm_test name vm timeout config labels after)
	_lab_machine("${vm}" "${config}" machine)
	# the limit includes a new boot of the machine and the check of its state
	math(EXPR outer "${timeout} + 600")
	_lab_tap(${name} TIMEOUT ${outer} CONFIG ${config} LABELS ${labels}
		COMMAND ${LAB_DIR}/vm --build ${CMAKE_BINARY_DIR} exec ${machine} ${after}
			--timeout ${timeout} -- ${ARGN})
	_lab_lock(${machine} "${config}" lock)
	set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED vm-${machine} RESOURCE_LOCK ${lock})
endfunction()

function(iommuscope_add_vm_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "SPOILS" "VM;TIMEOUT" "LABELS;DEBUG;COMMAND")
	if(NOT arg_VM)
		set(arg_VM intel)
	endif()
	set(after --check)
	if(arg_SPOILS)
		set(after --spoils)
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 120)
	endif()
	_lab_vm_test(${name} "${arg_VM}" ${arg_TIMEOUT} "" "vm;${arg_LABELS}" ${after} ${arg_COMMAND})
	foreach(kind ${arg_DEBUG})
		iommuscope_add_debug_test(${name} KIND ${kind} VM "${arg_VM}" TIMEOUT ${arg_TIMEOUT}
			COMMAND ${arg_COMMAND})
	endforeach()
endfunction()

file(STRINGS ${LAB_DIR}/kernel/slowness lines REGEX "^[a-z]")
foreach(line ${lines})
	string(REGEX MATCH "^([a-z]+) ([0-9]+)$" line "${line}")
	set(LAB_SLOWNESS_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${LAB_DIR}/kernel/slowness)

# The machine and the limit of a test on a debug kernel.
function(_lab_debug_machine kind vm timeout out out_timeout)
	if(vm MATCHES "^(intel|amd|virtio|none)$")
		set(vm "--iommu ${vm}")
	endif()
	# memory for the checks
	set(${out} "--debug-kernel ${kind} --mem 3G ${vm}" PARENT_SCOPE)
	math(EXPR timeout "${timeout} * ${LAB_SLOWNESS_${kind}}")
	set(${out_timeout} ${timeout} PARENT_SCOPE)
endfunction()

function(iommuscope_add_debug_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND;VM;TIMEOUT" "COMMAND")
	if(NOT arg_VM)
		set(arg_VM intel)
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 120)
	endif()
	_lab_debug_machine(${arg_KIND} "${arg_VM}" ${arg_TIMEOUT} machine timeout)
	_lab_vm_test(${arg_KIND}.${name} "${machine}" ${timeout} long "long;${arg_KIND};vm" --check
		${arg_COMMAND})
endfunction()

function(_lab_beside_test name vm timeout config labels)
	_lab_machine("${vm}" "${config}" machine)
	_lab_tap(${name} TIMEOUT ${timeout} CONFIG ${config} LABELS ${labels}
		COMMAND ${LAB_DIR}/vm --build ${CMAKE_BINARY_DIR} beside ${machine} --timeout ${timeout} -- ${ARGN})
	_lab_lock(${machine} "${config}" lock)
	set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED vm-${machine} RESOURCE_LOCK ${lock})
endfunction()

function(iommuscope_add_beside_test name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "VM;TIMEOUT" "DEBUG;COMMAND")
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 120)
	endif()
	_lab_beside_test(${name} "${arg_VM}" ${arg_TIMEOUT} "" vm ${arg_COMMAND})
	foreach(kind ${arg_DEBUG})
		_lab_debug_machine(${kind} "${arg_VM}" ${arg_TIMEOUT} machine timeout)
		_lab_beside_test(${kind}.${name} "${machine}" ${timeout} long "long;${kind};vm" ${arg_COMMAND})
	endforeach()
endfunction()

function(iommuscope_add_bench name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "VM;TIMEOUT" "COMMAND")
	if(NOT arg_VM)
		set(arg_VM "--mem 3G")
	endif()
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 900)
	endif()
	# each measures a machine that has just booted
	_lab_vm_test(${name} "${arg_VM}" ${arg_TIMEOUT} bench bench --spoils ${arg_COMMAND})
endfunction()
