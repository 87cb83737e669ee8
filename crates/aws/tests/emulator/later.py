"""What is done once a module is loaded, whoever loads it, so that it need not be loaded before."""
import importlib.abc
import importlib.util
import sys


class After(importlib.abc.MetaPathFinder):
    def __init__(self, name, then):
        self.name, self.then = name, then

    def find_spec(self, name, path, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            self.then()

        spec.loader.exec_module = exec_module
        return spec


def after(name, then):
    """`then` is called after the module of this name is loaded, once."""
    if name in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, After(name, then))
