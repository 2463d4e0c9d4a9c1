# SPDX-License-Identifier: GPL-2.0-only
"""The rules of the static checks that do not apply here, each with its reason."""

# checkpatch, everywhere
CHECKPATCH = {
    # The lists of operations, phases, reasons and fields are macros that take a macro and use
    # few of its arguments; checkpatch takes them for functions.
    "COMPLEX_MACRO", "MACRO_ARG_REUSE", "MACRO_ARG_UNUSED", "MACRO_ARG_PRECEDENCE",
    "TRAILING_SEMICOLON",
    # The model that opens the file describes locks and barriers, not each use.
    "UNCOMMENTED_DEFINITION", "MEMORY_BARRIER",
    # The search mistakes a macro's last line, and a function with a long head, for something
    # else.
    "EXPORT_SYMBOL", "OPEN_BRACE",
    # (a == b) == c: the compiler asks for them
    "UNNECESSARY_PARENTHESES",
    # An else after a return reads better where the two cases of one decision are a pair.
    "UNNECESSARY_ELSE",
    # clang-format puts blanks before the backslash of a macro's empty line
    "CODE_INDENT", "LEADING_SPACE",
    # functions that BPF calls by name have no header: each is declared where it is defined
    "AVOID_EXTERNS",
    # "u##size *val" in a macro is a pointer
    "SPACING",

}

# TRACE_EVENT() is laid out as in the kernel's own trace headers.
CHECKPATCH_EVENTS = {"PARENTHESIS_ALIGNMENT", "OPEN_ENDED_LINE", "LONG_LINE"}

# User space and BPF: rules that refer to what only the kernel has
CHECKPATCH_USER = {
    "ARRAY_SIZE", "BIT_MACRO", "PREFER_KERNEL_TYPES", "PREFER_DEFINED_ATTRIBUTE_MACRO",
    "EMBEDDED_FUNCTION_NAME", "CONSTANT_CONVERSION", "NEW_TYPEDEFS", "PREFER_FALLTHROUGH",
    # variables that a BPF program's loader sets are const volatile, and need an initial value to
    # be in a section of their own
    "VOLATILE", "GLOBAL_INITIALISERS", "INITIALISED_STATIC",
    # texts for people wrap for their terminal, not for our source
    "SPLIT_STRING",
    # of numbers that the same program wrote
    "NAKED_SSCANF",
    # the compiler sees the sizes of both (-Wstringop-overflow)
    "STRCPY", "STRNCPY",
    # BPF_PROG() and the iterators' macros take a type and a name, which is not a declaration
    "FUNCTION_ARGUMENTS",
    # counting what exists: n += p != NULL
    "COMPARISON_TO_NULL",
    # clang-format settles it
    "PARENTHESIS_ALIGNMENT",
    # heads of lists
    "MULTIPLE_ASSIGNMENTS",
    # messages are not wrapped, so that they can be searched for
    "LONG_LINE_STRING",
    # prose may be one word too long
    "LONG_LINE_COMMENT",
    # text of other files that a program writes
    "SPDX_LICENSE_TAG",
    # names of user space are chosen by others: DIR, Elf64_Shdr, curl's
    "CAMELCASE",
    # a parser's macros that return on bad input, or write one field after the other
    "MACRO_WITH_FLOW_CONTROL", "MULTISTATEMENT_MACRO_USE_DO_WHILE",
    # X-macros that make members: one per line
    "LINE_SPACING", "TRAILING_STATEMENTS", "BRACKET_SPACE", "FLEXIBLE_ARRAY",
}

# Tests: a table with one case per line may be wide; "enum kind kind" is intended; the module of
# planted faults has each kind of fault, including a VM_BUG_ON().
CHECKPATCH_TESTS = {"LONG_LINE", "REPEATED_WORD", "AVOID_BUG"}

# sparse: its reports, by file, that are wrong here
SPARSE = {
    # it does not know that refcount_dec_and_lock() takes the lock when it returns true
    ("kernel/iommufd/group.c", "context imbalance in 'iommufd_group_put'"),
    # takes the locks of both domains, or of the only one
    ("kernel/mock/dma.c", "context imbalance in 'mock_dma_set_domain'"),
}

# cppcheck
CPPCHECK = {
    # returning the pointer that a loop's condition has tested
    "identicalInnerCondition",
    # out_of_memory() ends the program
    "memleakOnRealloc",
    # it reports that it has not checked every combination of branches of a long function
    "normalCheckLevelMaxBranches",
    # the C library's headers are not ours to check
    "missingIncludeSystem",
}

# clang-tidy: the checks that are on, in the quick run and in the slow one, then those that are
# off
CLANG_TIDY_SLOW = ("clang-analyzer-*",)
CLANG_TIDY_ON = ("bugprone-*", "misc-redundant-expression",
                 "misc-static-assert", "readability-misleading-indentation")
CLANG_TIDY_OFF = (
    # any two integers side by side
    "bugprone-easily-swappable-parameters",
    # sizes and counters as doubles for a percentage: intended
    "bugprone-narrowing-conversions", "bugprone-implicit-widening-of-multiplication-result",
    # if (strcmp()) is idiomatic C
    "bugprone-suspicious-string-compare",
    # requires C11's Annex K, which no C library of Linux has
    "clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling",
    "clang-analyzer-security.insecureAPI.strcpy",
    # a step through powers of ten
    "clang-analyzer-security.FloatLoopCounter",
    # sizeof(*list) where the list is of pointers
    "bugprone-sizeof-expression", "bugprone-multi-level-implicit-pointer-conversion",
    # out_of_memory() ends the program
    "bugprone-suspicious-realloc-usage",
    # bytes of a file or map that start with a structure
    "bugprone-casting-through-void",
    # clang 14 takes a va_list that va_start() has set for an uninitialised one
    "clang-analyzer-valist.Uninitialized",
    # macros that list names, and those of the kernel's headers
    "bugprone-macro-parentheses", "bugprone-reserved-identifier",
    # an assignment as a condition stands in its own parentheses
    "bugprone-assignment-in-if-condition",
    # without a default, the compiler reports a case that a switch over an enum lacks
    "bugprone-switch-missing-default-case",
    # signal handlers that set a flag or call write(2): it knows few functions to be safe
    "bugprone-signal-handler",
    # equal branches follow the table of cases
    "bugprone-branch-clone",
)

# shellcheck
SHELLCHECK = {
    # functions that a trap or another function calls by name
    "SC2317",
    # a script that others source sets variables for them
    "SC2034",
    # files whose names we choose
    "SC2012",
    # [ ... ] for its status
    "SC2319",
    # $ in quotes for another shell
    "SC2016",
}
