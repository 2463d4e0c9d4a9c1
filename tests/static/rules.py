# SPDX-License-Identifier: GPL-2.0-only
"""The rules of the static checks that do not hold here, each with its reason."""

# checkpatch, everywhere
CHECKPATCH = {
    # The lists of operations, phases, reasons and fields are macros that take a macro and use
    # few of its arguments; checkpatch takes them for functions.
    "COMPLEX_MACRO", "MACRO_ARG_REUSE", "MACRO_ARG_UNUSED", "MACRO_ARG_PRECEDENCE",
    "TRAILING_SEMICOLON",
    # Locks and barriers are told of in the model that opens the file, not at each use.
    "UNCOMMENTED_DEFINITION", "MEMORY_BARRIER",
    # The search takes a macro's last line, and a function with a long head, for what it is not.
    "EXPORT_SYMBOL", "OPEN_BRACE",
    # (a == b) == c: the compiler asks for them
    "UNNECESSARY_PARENTHESES",
    # An else after a return that pairs two cases of one decision reads better than none.
    "UNNECESSARY_ELSE",
    # clang-format puts blanks before the backslash of a macro's empty line
    "CODE_INDENT", "LEADING_SPACE",
    # what BPF calls by name has no header: it is declared where it is defined
    "AVOID_EXTERNS",
    # "u##size *val" in a macro is a pointer
    "SPACING",

}

# TRACE_EVENT() is laid out as in the kernel's own trace headers.
CHECKPATCH_EVENTS = {"PARENTHESIS_ALIGNMENT", "OPEN_ENDED_LINE", "LONG_LINE"}

# User space and BPF: rules that name what only the kernel has
CHECKPATCH_USER = {
    "ARRAY_SIZE", "BIT_MACRO", "PREFER_KERNEL_TYPES", "PREFER_DEFINED_ATTRIBUTE_MACRO",
    "EMBEDDED_FUNCTION_NAME", "CONSTANT_CONVERSION", "NEW_TYPEDEFS", "PREFER_FALLTHROUGH",
    # what a BPF program's loader sets is const volatile, and needs an initial value to be
    # in a section of its own
    "VOLATILE", "GLOBAL_INITIALISERS", "INITIALISED_STATIC",
    # texts for people are broken to fit their terminal, not ours
    "SPLIT_STRING",
    # of numbers that the same program wrote
    "NAKED_SSCANF",
    # the compiler sees the sizes of both (-Wstringop-overflow)
    "STRCPY", "STRNCPY",
    # BPF_PROG() and the iterators' macros take a type and a name, which is no declaration
    "FUNCTION_ARGUMENTS",
    # counting what is there: n += p != NULL
    "COMPARISON_TO_NULL",
    # clang-format settles it
    "PARENTHESIS_ALIGNMENT",
    # heads of lists
    "MULTIPLE_ASSIGNMENTS",
    # messages are not broken, so that they can be searched for
    "LONG_LINE_STRING",
    # prose may stick out by a word
    "LONG_LINE_COMMENT",
    # text of other files that a program writes
    "SPDX_LICENSE_TAG",
    # user space's names are others' to choose: DIR, Elf64_Shdr, curl's
    "CAMELCASE",
    # a parser's macros that return when the input is bad, or write one field after the other
    "MACRO_WITH_FLOW_CONTROL", "MULTISTATEMENT_MACRO_USE_DO_WHILE",
    # X-macros that make members: one a line
    "LINE_SPACING", "TRAILING_STATEMENTS", "BRACKET_SPACE", "FLEXIBLE_ARRAY",
}

# Tests: a table with a case a line may be wide; "enum kind kind" is no slip of the pen; the module
# of planted faults has each kind of fault, a VM_BUG_ON() too.
CHECKPATCH_TESTS = {"LONG_LINE", "REPEATED_WORD", "AVOID_BUG"}

# sparse: what of its words, by file, is none of ours
SPARSE = {
    # it does not know that refcount_dec_and_lock() takes the lock when it says true
    ("kernel/iommufd/group.c", "context imbalance in 'iommufd_group_put'"),
    # takes the locks of the one or two domains that there are
    ("kernel/mock/dma.c", "context imbalance in 'mock_dma_set_domain'"),
}

# cppcheck
CPPCHECK = {
    # returning the pointer that a loop's condition has tested
    "identicalInnerCondition",
    # out_of_memory() ends the program
    "memleakOnRealloc",
    # it says of a long function that it has not looked at every combination of branches
    "normalCheckLevelMaxBranches",
    # the C library's headers are not for it to judge
    "missingIncludeSystem",
}

# clang-tidy: what is on, in the quick check and in the slow one, then what of them is off
CLANG_TIDY_SLOW = ("clang-analyzer-*",)
CLANG_TIDY_ON = ("bugprone-*", "misc-redundant-expression",
                 "misc-static-assert", "readability-misleading-indentation")
CLANG_TIDY_OFF = (
    # any two integers side by side
    "bugprone-easily-swappable-parameters",
    # sizes and counters as doubles for a percentage: meant
    "bugprone-narrowing-conversions", "bugprone-implicit-widening-of-multiplication-result",
    # if (strcmp()) is how C says it
    "bugprone-suspicious-string-compare",
    # wants C11's Annex K, which no C library of Linux has
    "clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling",
    "clang-analyzer-security.insecureAPI.strcpy",
    # a step through powers of ten
    "clang-analyzer-security.FloatLoopCounter",
    # sizeof(*list) where the list is of pointers
    "bugprone-sizeof-expression", "bugprone-multi-level-implicit-pointer-conversion",
    # out_of_memory() ends the program
    "bugprone-suspicious-realloc-usage",
    # bytes of a file or map that begin with a structure
    "bugprone-casting-through-void",
    # clang 14 takes a va_list that va_start() has set for one that is not
    "clang-analyzer-valist.Uninitialized",
    # macros that list names, and those of the kernel's headers
    "bugprone-macro-parentheses", "bugprone-reserved-identifier",
    # an assignment as a condition stands in its own parentheses
    "bugprone-assignment-in-if-condition",
    # a switch over an enum without a default is what makes the compiler name a missing case
    "bugprone-switch-missing-default-case",
    # signal handlers that set a flag or write(2): it knows few functions to be safe
    "bugprone-signal-handler",
    # what a lone branch repeats is what the table of cases says
    "bugprone-branch-clone",
)

# shellcheck
SHELLCHECK = {
    # functions that a trap or another function calls by name
    "SC2317",
    # a script that others source sets variables for them
    "SC2034",
    # files whose names are ours
    "SC2012",
    # [ ... ] for its status
    "SC2319",
    # $ in quotes for another shell
    "SC2016",
}
