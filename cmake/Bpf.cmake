# SPDX-License-Identifier: GPL-2.0-only
#
# CO-RE BPF programs.
#
#   iommuscope_add_bpf(NAME [FOLDER])   NAME.bpf.c of bpf/, or of FOLDER -> bpf/NAME.skel.h (built)
#
# They see the kernel only through bpf/vmlinux.h, which has the types of the kernel and of all our
# modules, or through bpf/kernel.h, which only has the kernel's. Programs for kernels without our
# modules use the latter.

set(BPF_DIR ${CMAKE_BINARY_DIR}/bpf)
file(MAKE_DIRECTORY ${BPF_DIR})
find_program(CLANG NAMES clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

set(BPF_BASE ${KERNEL_HEADERS}/vmlinux)
if(NOT EXISTS ${BPF_BASE})
	set(BPF_BASE /sys/kernel/btf/vmlinux)
endif()
set(VMLINUX_H ${BPF_DIR}/vmlinux.h)
set(vmlinux_script ${CMAKE_SOURCE_DIR}/cmake/vmlinux-h.py)
# The script leaves the header alone if nothing in it changes, so ninja rebuilds no program.
add_custom_command(OUTPUT ${VMLINUX_H}
	COMMAND Python3::Interpreter -B ${vmlinux_script} --bpftool ${BPFTOOL} --base ${BPF_BASE}
		--modules ${LAB_MODULES} --output ${VMLINUX_H}
	DEPENDS ${vmlinux_script} ${BPF_BASE} ${IOMMUSCOPE_MODULES_STAMP}
	COMMENT "BTF types (vmlinux.h)" VERBATIM)
set(KERNEL_H ${BPF_DIR}/kernel.h)
add_custom_command(OUTPUT ${KERNEL_H}
	COMMAND Python3::Interpreter -B ${vmlinux_script} --bpftool ${BPFTOOL} --base ${BPF_BASE}
		--output ${KERNEL_H}
	DEPENDS ${vmlinux_script} ${BPF_BASE}
	COMMENT "BTF types of the kernel (kernel.h)" VERBATIM)
add_custom_target(vmlinux-h DEPENDS ${VMLINUX_H} ${KERNEL_H})

set(BPF_SKELETONS)

function(iommuscope_add_bpf name)
	set(source ${CMAKE_SOURCE_DIR}/bpf/${name}.bpf.c)
	if(ARGC GREATER 1)
		set(source ${ARGV1}/${name}.bpf.c)
	endif()
	set(object ${BPF_DIR}/${name}.bpf.o)
	set(skeleton ${BPF_DIR}/${name}.skel.h)
	add_custom_command(OUTPUT ${object}
		COMMAND ${CLANG} -target bpf -mcpu=v3 -g -O2 -std=gnu11 -Wall -Wextra -Werror
			-Wno-missing-declarations -D__TARGET_ARCH_x86
			-I${CMAKE_SOURCE_DIR} -I${CMAKE_BINARY_DIR}
			-MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}.full
		COMMAND ${BPFTOOL} gen object ${object} ${object}.full
		DEPENDS ${source} ${VMLINUX_H} ${KERNEL_H}
		DEPFILE ${object}.d
		COMMENT "BPF ${name}" VERBATIM)
	# a hyphen cannot be part of the skeleton's name; the kernel shows it in those of .rodata
	# and .bss
	string(MAKE_C_IDENTIFIER ${name} identifier)
	add_custom_command(OUTPUT ${skeleton}
		COMMAND sh -c "\"$1\" gen skeleton \"$2\" name \"$3\" >\"$4.new\" && mv \"$4.new\" \"$4\""
			skeleton ${BPFTOOL} ${object} ios_${identifier} ${skeleton}
		DEPENDS ${object} COMMENT "BPF skeleton ${name}" VERBATIM)
	set(BPF_SKELETONS ${BPF_SKELETONS} ${skeleton} PARENT_SCOPE)
endfunction()

file(GLOB bpf_programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.bpf.c)
file(GLOB bpf_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*/*.bpf.c)
foreach(program ${bpf_programs} ${bpf_sources})
	get_filename_component(name ${program} NAME)
	get_filename_component(folder ${program} DIRECTORY)
	string(REGEX REPLACE "\\.bpf\\.c$" "" name ${name})
	iommuscope_add_bpf(${name} ${folder})
endforeach()
add_custom_target(bpf ALL DEPENDS ${BPF_SKELETONS} ${VMLINUX_H})
