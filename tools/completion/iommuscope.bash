# SPDX-License-Identifier: GPL-2.0-only
# Completion of iommuscope for bash, written by 'iommuscope help --completion'.
#
# The words offered have no blanks in them.
# shellcheck shell=bash disable=SC2207

_iommuscope()
{
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="lat ops stuck state replace capacity top export record report doctor help" words i

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		COMPREPLY=($(compgen -W "$commands --version --help" -- "$word"))
		return
	fi
	# a command of its own follows --
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			COMPREPLY=($(compgen -c -- "$word"))
			return
		fi
	done
	case $previous in
	-d | --device)
		words=$(cd /sys/bus/pci/devices 2>/dev/null && echo *)
		COMPREPLY=($(compgen -W "$words" -- "$word"))
		return
		;;
	-p | --pid)
		words=$(cd /proc && echo [0-9]*)
		COMPREPLY=($(compgen -W "$words" -- "$word"))
		return
		;;
	--ready-file | --cgroup)
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	--by)
		COMPREPLY=($(compgen -W "device ioas process cgroup" -- "$word"))
		return
		;;
	-o | --operation)
		words="map copy unmap access_pin access_unpin access_rw bind unbind attach replace detach hwpt_alloc access_attach access_replace access_detach open close destroy ioas_alloc ioas_allow_iovas ioas_iova_ranges option vfio_ioas get_hw_info access_create access_destroy unknown_ioctl vfio_open vfio_bind vfio_unbind vfio_attach vfio_replace vfio_detach vfio_close vfio_reset vfio_hot_reset vfio_register vfio_unregister vfio_group_open vfio_set_container vfio_unset_container vfio_feature vfio_ioctl vfio_set_irqs vfio_bar_fault map unmap dirty_log access_pin access_unpin access_rw attach detach open close"
		COMPREPLY=($(compgen -W "$words" -- "$word"))
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	lat)
		words="--by --hist --operation -o --no-phases --limit --stacks --device -d --pid -p --cgroup --ctx --interval -i --count -n --duration --json --csv --ready-file --kill --help -h"
		;;
	ops)
		words="--errors --slower --operation -o --device -d --pid -p --cgroup --ctx --count -n --duration --json --ready-file --kill --help -h"
		;;
	stuck)
		words="--longer --no-stack --device -d --pid -p --interval -i --count -n --duration --json --ready-file --help -h"
		;;
	state)
		words="--tree --areas --brief --watch --device -d --pid -p --ctx --interval -i --count -n --duration --json --ready-file --help -h"
		;;
	replace)
		words="--timeline --faults --watch-device --drill --device -d --pid -p --cgroup --ctx --count -n --duration --json --ready-file --kill --help -h"
		;;
	capacity)
		words="--fit --pid -p --ctx --json --help -h"
		;;
	top)
		words="--device -d --pid -p --cgroup --ctx --interval -i --count -n --duration --ready-file --help -h"
		;;
	export)
		words="--listen --web-config --textfile --by --limit --max-objects --processes --stuck-after --phases-limit --duration --ready-file --help -h"
		;;
	record)
		words="--output -o --no-begins --no-replacements --buffer --device -d --pid -p --cgroup --ctx --count -n --duration --ready-file --kill --help -h"
		;;
	report)
		words="--device -d --pid -p --errors --slower --operation -o --begins --trace-event --info --count -n --json --csv --help -h"
		;;
	doctor)
		words="--device -d --json --help -h"
		;;
	help)
		words="--man --completion --keys --help -h $commands"
		;;
	*)
		return
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _iommuscope iommuscope
