#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""Build the packages as a maintainer does, and inspect them.

DKMS builds the modules from the sources that its package contains, and the tool's BPF programs
use the types of these modules: nothing of a build with test support is involved. Left in OUT:
packages/*.deb, bin/iommuscope, and root/lib/modules/RELEASE for `modprobe -d OUT/root`.
"""

import argparse
import glob
import lzma
import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "tool"))
from tooltest import Tap  # noqa: E402

MODULES = ["iommufd.ko", "vfio-pci-core.ko", "vfio-pci.ko", "vfio.ko"]
# Names that only test support has
TEST_SUPPORT = re.compile(rb"iommufd_test_(?!is_mock)\w+|iommufd-mock|mock_iommu\w*")


class Build:
    def __init__(self, options):
        self.source = options.source
        self.kernel = options.kernel
        self.out = options.out
        with open(os.path.join(self.kernel, "release")) as f:
            self.release = f.read().strip()
        with open(os.path.join(self.source, "CMakeLists.txt")) as f:
            self.version = re.search(r"VERSION (\d[\d.]*) LANGUAGES", f.read()).group(1)

    def path(self, *parts):
        return os.path.join(self.out, *parts)

    def run(self, *command):
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        return done.returncode, done.stdout

    def must(self, tap, name, *command):
        status, text = self.run(*command)
        if not tap.ok(status == 0, name, text[-3000:]):
            raise RuntimeError("without that there is nothing more to test")
        return text

    def packages(self):
        return sorted(glob.glob(self.path("packages", "*.deb")))

    def configure(self, tap):
        for folder in ("packages", "dkms", "root"):
            shutil.rmtree(self.path(folder), ignore_errors=True)
        self.must(tap, "configures", "cmake", "-S", self.source, "--preset", "package", "-B", self.out,
                  "-DIOMMUSCOPE_MODULES=OFF", f"-DKDIR={self.kernel}/headers/")
        self.must(tap, "installs the modules' sources", "cmake", "--install", self.out, "--component",
                  "dkms", "--prefix", self.path("dkms", "usr"))

    def modules(self, tap):
        """DKMS wants to be root; a simulated root is enough, and works in containers and chroots
        too.
        """
        tree = self.path("dkms", "tree")
        for folder in ("tree", os.path.join("install", self.release)):
            os.makedirs(self.path("dkms", folder))
        as_root = [] if os.getuid() == 0 else ["fakeroot"]
        self.must(tap, "DKMS builds the modules for the lab's kernel", *as_root, "dkms", "build",
                  "--dkmstree", tree, "--sourcetree", self.path("dkms", "usr", "src"),
                  "--installtree", self.path("dkms", "install"), "-k", self.release,
                  "--kernelsourcedir", f"{self.kernel}/headers", "-m", "iommuscope", "-v", self.version)
        built = glob.glob(os.path.join(tree, "iommuscope", self.version, self.release, "*", "module", "*"))
        collected = self.path("lib", "modules-lab")
        shutil.rmtree(collected, ignore_errors=True)
        os.makedirs(collected)
        # a build without modules of its own does not know that their types may have changed
        if os.path.exists(self.path("bpf", "vmlinux.h")):
            os.unlink(self.path("bpf", "vmlinux.h"))
        for path in built:
            with (lzma.open if path.endswith(".xz") else open)(path, "rb") as f:
                data = f.read()
            with open(os.path.join(collected, os.path.basename(path).replace(".xz", "")), "wb") as f:
                f.write(data)
        tap.equal(sorted(os.listdir(collected)), MODULES, "and no others than these")
        self.must(tap, "depmod knows them", os.path.join(TESTS, "lab", "module-tree"), self.kernel,
                  collected, self.path("root", "lib", "modules", self.release))

    def build(self, tap):
        self.must(tap, "the packages are built", "ninja", "-C", self.out, "package")
        names = [os.path.basename(p).split("_")[0] for p in self.packages()]
        tap.equal(names, ["iommuscope-dashboards", "iommuscope-dkms", "iommuscope"], "all three")
        text = self.must(tap, "the tool runs", self.path("bin", "iommuscope"), "--version")
        tap.ok(self.version in text, "and names its version", text)

    def contents(self, tap):
        wanted = {
            "iommuscope": ["usr/sbin/iommuscope", "usr/share/man/man8/iommuscope.8.gz",
                           "usr/share/bash-completion/completions/iommuscope",
                           "usr/share/iommuscope/bcc/iommufd-snoop"],
            "iommuscope-dkms": [f"usr/src/iommuscope-{self.version}/{name}" for name in (
                "dkms.conf", "kernel/Kbuild", "kernel/iommufd/main.c", "tracepoints/iommufd.h")],
            "iommuscope-dashboards": ["usr/share/iommuscope/dashboards/prometheus/prometheus.yml",
                                      "usr/share/iommuscope/dashboards/prometheus/configure"],
        }
        for unit in glob.glob(os.path.join(self.source, "packaging", "systemd", "*.service")):
            wanted["iommuscope"].append("usr/lib/systemd/system/" + os.path.basename(unit))
        for package in self.packages():
            name = os.path.basename(package).split("_")[0]
            root = self.path("unpacked", name)
            shutil.rmtree(root, ignore_errors=True)
            os.makedirs(root)
            self.must(tap, f"{name} unpacks", "dpkg-deb", "-x", package, root)
            lacking = [f for f in wanted[name] if not os.path.isfile(os.path.join(root, f))]
            tap.equal(lacking, [], f"{name} has its contents")
            self.no_test_support(tap, name, root)
            if name == "iommuscope":
                fields = self.must(tap, "its control fields can be read", "dpkg-deb", "-f", package,
                                   "Depends", "Pre-Depends", "Recommends")
                tap.ok("dkms" not in fields, "installing the tool brings no module", fields)

    def no_test_support(self, tap, name, root):
        """No files, and in compiled files no names, of test support. The tool may know the mock's
        name, since it shows its devices like others.
        """
        found = []
        for here, _, files in os.walk(root):
            found += [os.path.join(here, f) for f in files if re.search(r"mock|iommufd_test|test_hook\.c", f)]
            found += [here] if os.path.basename(here) == "mock" else []
        tap.equal(found, [], f"{name} has no file of the tests")

    def compiled(self, tap):
        for name in MODULES:
            with open(self.path("lib", "modules-lab", name), "rb") as f:
                data = f.read()
            tap.equal(sorted(set(TEST_SUPPORT.findall(data))), [], f"{name} has no test support")
            _, sections = self.run("readelf", "-SW", self.path("lib", "modules-lab", name))
            tap.ok(" .BTF " in sections, f"{name} has its types", sections)
        with open(os.path.join(os.path.dirname(self.out), "lib", "modules-lab", "iommufd.ko"), "rb") as f:
            tap.ok(TEST_SUPPORT.search(f.read()), "a build with test support would be found")

    def lintian(self, tap):
        if not shutil.which("lintian"):
            tap.skip("lintian finds no error", "lintian is not installed")
            return
        status, text = self.run("lintian", "--tag-display-limit", "0", "--fail-on", "error", *self.packages())
        errors = [line for line in text.splitlines() if line.startswith("E:")]
        tap.ok(status == 0 and not errors, "lintian finds no error", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source", "kernel", "out"):
        parser.add_argument("--" + name, required=True)
    build = Build(parser.parse_args())
    Tap().run(build.configure, build.modules, build.build, build.contents, build.compiled, build.lintian)


if __name__ == "__main__":
    main()
