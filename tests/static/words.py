# SPDX-License-Identifier: GPL-2.0-only
"""The words of comments, docs, help and messages, how wide a comment is, and which one repeats another.

CONTRIBUTING.md has the style page with the reasons; this check finds the worst offences. Code is
not checked, so an identifier may have any name: of C, JavaScript and Python only comments and
strings count, of Markdown all but code in backticks, of any other file every line.
"""

import io
import os
import re
import tokenize

from files import Files

# Files and folders whose words are not clean yet.
PENDING = ()

# Texts of others, frozen ones, and data. This file has the words as patterns and samples.
NOT_OURS = ("LICENSE", "tracepoints/abi", "tests/static/words.py")
NOT_TEXT = (".json", ".png", ".svg", ".golden", ".gz", ".woff2")

# Each pattern, with the words to use instead.
WORDS = (
    (r"tell|tells|told|telling", "show, report, name, distinguish; reported, given, set"),
    (r"nobody|somebody|anybody", "no process, no caller, nothing else; another process; any process"),
    (r"whoever|whom", "the process that, the caller that"),
    (r"who", "callers that; the process that"),
    (r"(?:the|a|its|each) begin", "start"),
    (r"\(defaults?", "[default: N]"),
)
FAULTS = ("what told it", "nobody looks", "whoever comes", "callers who wait", "The begin of a map",
          "memory (default 2G)")

# Real questions, and the account of this name.
ALLOWED = re.compile(r"\bwho (?:has|holds|maintains|owns)\b|"
                     r"(?:\buser=|-u |--user[ =]|--to=|su )[\"']?nobody\b|^[\"']nobody[\"']$", re.IGNORECASE)

MOST_COLUMNS = 100

# The first words of the help of a script's options.
HELP = re.compile(r"(?:add|add_argument)\(\s*\"(-[^()]*?(?:\([^()]*\)[^()]*?)*?)help=\(?f?\"(\w+)")
HELP_VERBS = set("add boot build compare count do exit fail forward give group judge keep kill let load "
                 "measure pass run select set show stop take use write".split())

C_TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
JS_TOKEN = re.compile(C_TOKEN.pattern + r"|`(?:\\.|[^`\\])*`", re.DOTALL)
MARKDOWN_CODE = re.compile(r"``.*?``|`[^`\n]*`")
# the parts of format strings that are code
EXPRESSION = re.compile(r"\$?\{[^{}]*\}|\$\w+")

C_ENDINGS = (".c", ".h", ".css", ".bt")
JS_ENDINGS = (".js", ".mjs")


def tokens(pattern, text):
    """(number of its first line, text) of each comment and string."""
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group()


def python_tokens(text):
    """(number of its first line, text, is it prose?) of each comment and string.

    A docstring is prose.
    """
    before = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name in ("COMMENT", "STRING", "FSTRING_MIDDLE"):
            docstring = before in (None, "NEWLINE", "INDENT", "DEDENT") and name == "STRING"
            yield token.start[0], token.string, name == "COMMENT" or docstring
        if name not in ("COMMENT", "NL", "ENCODING"):
            before = name


def prose(kind, text):
    """(line number, text) of each line of prose in a file."""
    if kind == "python":
        parts = ((number, part) for number, part, _ in python_tokens(text))
    elif kind == "c":
        parts = tokens(C_TOKEN, text)
    elif kind == "js":
        parts = tokens(JS_TOKEN, text)
    else:
        parts = [(1, MARKDOWN_CODE.sub("", text) if kind == "markdown" else text)]
    for first, part in parts:
        for number, line in enumerate(part.split("\n"), first):
            yield number, line


def comments(kind, text):
    """(line number, number of lines) of each comment."""
    if kind == "python":
        return [(number, part.count("\n") + 1) for number, part, is_prose in python_tokens(text) if is_prose]
    if kind in ("c", "js"):
        pattern = C_TOKEN if kind == "c" else JS_TOKEN
        return [(number, part.count("\n") + 1) for number, part in tokens(pattern, text) if part[0] == "/"]
    if kind == "hash":
        return [(number, 1) for number, line in enumerate(text.split("\n"), 1) if re.match(r"\s*#", line)]
    return []


def bad_words(kind, name, text):
    found = []
    for number, line in prose(kind, text):
        left = EXPRESSION.sub("", ALLOWED.sub("", line))
        for pattern, instead in WORDS:
            for match in re.finditer(rf"(?<![-\w.%@/])(?:{pattern})(?![-\w(]|\.\w)", left, re.IGNORECASE):
                found.append(f"{name}:{number}: \"{match.group()}\": {instead}: {line.strip()}")
    return found


def wide_comments(kind, name, text):
    """Lines that hold nothing but a comment, or a part of one, and are too long."""
    lines = text.expandtabs(8).split("\n")
    return [f"{name}:{number}: {len(lines[number - 1])} columns" for first, count in comments(kind, text)
            for number in range(first, first + count)
            if len(lines[number - 1]) > MOST_COLUMNS
            and (number > first or re.match(r"\s*(#|//|/\*|[rf]?[\"'])", lines[number - 1]))]


def mangled_tables(name, text):
    """Lines of a table in a comment, whose columns are tabs, with a column in the middle of a text."""
    return [f"{name}:{number}: a table that was wrapped as text: {line.strip()}"
            for number, line in enumerate(text.split("\n"), 1) if re.match(r" \*\t\S.*\S {3,}\S", line)]


def help_without_verb(name, text):
    """Options of a script whose help does not start with a verb."""
    return [f"{name}:{text.count(chr(10), 0, match.start()) + 1}: starts with no verb: {match[2]}..."
            for match in HELP.finditer(text)
            if match[2] not in HELP_VERBS]


def opening(text):
    """The start of a file's first comment, up to the first colon or full stop, without capitals."""
    comment = re.match(r"// SPDX[^\n]*\n/\*\n(.*?)\*/|/\* SPDX[^\n]*\n/\*\n(.*?)\*/", text, re.DOTALL)
    if not comment:
        return None
    words = " ".join(re.sub(r"^ \*", "", comment[1] or comment[2], flags=re.MULTILINE).split())
    # a file without the model names the one that has it
    return None if re.search(r"\.[ch] describes?\b", words) else re.split(r"[.:;](?: |$)", words)[0].lower()


def repeated(texts):
    """Sources whose first comment starts as that of the header beside them: {name: text}."""
    found = []
    for name, text in texts.items():
        header = re.sub(r"(?:\.bpf)?\.c$", ".h", name)
        if name.endswith(".c") and header in texts and opening(text) and opening(text) == opening(texts[header]):
            found.append(f"{name}: repeats {header}: {opening(text)}")
    return found


def kind_of(name, scripts):
    """How to read the text of a file: by its ending, or by the interpreter that it names."""
    if name.endswith(C_ENDINGS):
        return "c"
    if name.endswith(JS_ENDINGS):
        return "js"
    if name in scripts["python"]:
        return "python"
    return "markdown" if name.endswith(".md") else "hash"


def below(name, paths):
    return next((path for path in paths if name == path or name.startswith(path + "/")), None)


def show(points):
    """Points that show that a planted fault of each kind is found, and that clean text passes."""
    for fault, (pattern, _) in zip(FAULTS, WORDS):
        points.found(f"words: {pattern}", "\n".join(bad_words("c", "x.c", f"int i; /* {fault} */\n")), "^x.c:1: ")
    points.found("words: a message", "\n".join(bad_words("python", "x.py", 'f"it is told by {who}"\n')), "told")
    clean = [("c", 'int told = who; /* Who holds it? */\nf(telldir, "%s tell_");\n'),
             ("python", 'told = run("x", user="nobody")\n'), ("markdown", "`tell` it\n"), ("hash", "f $who ${tell}\n")]
    points.point("words: identifiers, questions and accounts pass",
                 [line for kind, text in clean for line in bad_words(kind, "x", text)])
    wide = "x" * MOST_COLUMNS
    for kind, fault in (("c", f"/*\n * {wide}\n */\n"), ("js", f"\n// {wide}\n"), ("hash", f"\n# {wide}\n"),
                        ("python", f"'''x\n{wide}y\n'''\n")):
        points.found(f"wide comments: {kind}", "\n".join(wide_comments(kind, "x", fault)), "^x:2: 10[1-9] columns$")
    points.point("wide comments: code may be wider",
                 wide_comments("c", "x", f"f({wide}); /* x */\n") + wide_comments("hash", "x", f"f {wide} # x\n"))
    points.found("tables:", "\n".join(mangled_tables("x", "/*\n *\tone FILE       opens two FILE\n */\n")), "^x:2: ")
    points.point("tables: columns of tabs pass", mangled_tables("x", " *\tone FILE\topens\n *\t  {  }  x\n"))
    fault = help_without_verb("x", 'p.add_argument("-n", type=int, help="only N")\n')
    points.found("help:", "\n".join(fault), "^x:1: ")
    points.point("help: verbs and arguments pass", help_without_verb(
        "x", 'p.add_argument("-n", help="stop")\np.add_argument("n", help="a file")\n'))
    texts = {"x.h": "/* SPDX */\n/*\n * A list of\n * maps: in order.\n */\n",
             "x.c": "// SPDX\n/*\n * A list of maps.\n *\n * More.\n */\n"}
    points.found("repeated comments:", "\n".join(repeated(texts)), "^x.c: repeats x.h: a list of maps$")
    points.point("a reference to the header passes",
                 repeated(texts | {"x.c": "// SPDX\n/*\n * A list of maps; x.h describes it.\n */\n"}))


def words(points, options):
    show(points)
    files = Files(options.source)
    scripts = {"python": set(files.scripts("python3", ".py"))}
    complaints, wide, tables, helps, pending, texts = [], [], [], [], {}, {}
    seen = 0
    for name in files.all:
        if below(name, NOT_OURS) or name.endswith(NOT_TEXT) or os.path.basename(name) == "package-lock.json":
            continue
        with open(files.path(name), encoding="utf-8") as f:
            text = f.read()
        texts[name] = text
        kind = kind_of(name, scripts)
        bad, broad = bad_words(kind, name, text), wide_comments(kind, name, text)
        path = below(name, PENDING)
        if path:
            pending.setdefault(path, []).extend(bad + broad)
            continue
        seen += 1
        complaints += bad
        wide += broad
        helps += help_without_verb(name, text) if kind == "python" else []
        tables += mangled_tables(name, text) if kind == "c" else []
    for path in PENDING:
        print(f"# pending: {path}: {len(pending.get(path, []))} to be rewritten")
    points.point(f"the words of {seen} files are plain", complaints)
    points.point(f"no comment is wider than {MOST_COLUMNS} columns", wide)
    points.point("the help of scripts' options starts with verbs", helps)
    points.point("no table of a comment was wrapped as text", tables)
    points.point("no source repeats its header's first sentence", repeated(texts))
