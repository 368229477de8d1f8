"""Lets SGLang be imported where its CUDA package `sgl_kernel` cannot be installed.

SGLang imports that package's names at start, on every device; on a CPU it then computes with PyTorch and never calls one. So
every name exists here, and whoever calls one is told that it is not there. No number comes from this file.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType


class Absent(ModuleType):
    """The package, a module, a function or a constant of it, by its dotted name."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> "Absent":
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{self.__name__}.{name}")

    def __call__(self, *_args, **_named):
        raise NotImplementedError(f"{self.__name__} is CUDA code, and this machine computes on its CPU")


class Finder:
    """Answers `import sgl_kernel.anything`; finder and loader in one."""

    def find_spec(self, name, _path=None, _target=None):
        return ModuleSpec(name, self, is_package=True) if name.startswith(f"{__name__}.") else None

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, _module):
        pass


__version__ = "0"
sys.modules[__name__].__class__ = Absent
sys.modules[__name__].__path__ = []
sys.meta_path.append(Finder())
