/**
 * Python that runs inside the child: defines `handle(json) -> json`, the only thing that JavaScript calls. It hides the
 * bridges to JavaScript from imports, keeps its own references to what it needs, and reports a changed interpreter, so that
 * the parent replaces the child. Values leave it as plain JSON (`./value.ts`), never as objects of the proposal's making.
 */
export const HARNESS = `
def _make():
    import ast, builtins, gc, json, os, sys
    # Loaded now, so that a proposal's import finds them and the snapshot below knows them.
    import bisect, collections, copy, dataclasses, datetime, decimal, enum, fractions, functools, heapq
    import itertools, math, operator, random, re, statistics, string, textwrap, types, typing

    BRIDGES = ('js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core', 'ctypes', '_ctypes', 'gc', '_testcapi', '_testinternalcapi')
    for name in [*sys.modules, *BRIDGES]:
        if name.split('.')[0] in BRIDGES:
            sys.modules[name] = None
    # What the interpreter's own glue keeps in reach of a stack frame or of a class.
    sys.modules['__main__'].__dict__.pop('_pyodide_core', None)
    for loop in __import__('asyncio').AbstractEventLoop.__subclasses__():
        loop.__init__.__globals__.pop('scheduleCallback', None)
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != 'JsFinder']

    MOST_NODES, MOST_DEPTH, MOST_TEXT = 20_000, 60, 200
    PLACES = ('/', '/tmp', '/home', '/home/pyodide', '/lib', '/lib/python3.14/site-packages')
    dumps, loads, literal, run_code, compile_code, collect = json.dumps, json.loads, ast.literal_eval, exec, compile, gc.collect
    evaluate, kind_of, text_of, length = eval, type, repr, len
    modules, path, finders, hooks = sys.modules, sys.path, sys.meta_path, sys.path_hooks
    set_limit, limit, listing, is_folder = sys.setrecursionlimit, sys.getrecursionlimit(), os.listdir, os.path.isdir
    set_trace, set_profile = sys.settrace, sys.setprofile

    class TooLarge(Exception):
        pass

    def encode(value):
        left = MOST_NODES
        def walk(value, depth):
            nonlocal left
            left -= 1
            if left < 0 or depth > MOST_DEPTH:
                raise TooLarge
            kind = kind_of(value)
            if value is None or kind is bool:
                return value
            if kind is str:
                left -= length(value) // 50
                return value
            if kind is int:
                if value.bit_length() > 100_000:
                    raise TooLarge
                return {'int': hex(value)}
            if kind is float:
                return {'float': text_of(value)}
            if kind is bytes:
                left -= length(value) // 50
                return {'bytes': value.hex()}
            if kind is list:
                return {'list': [walk(item, depth + 1) for item in value]}
            if kind is tuple:
                return {'tuple': [walk(item, depth + 1) for item in value]}
            if kind is set:
                return {'set': [walk(item, depth + 1) for item in value]}
            if kind is frozenset:
                return {'frozenset': [walk(item, depth + 1) for item in value]}
            if kind is dict:
                return {'dict': [[walk(key, depth + 1), walk(item, depth + 1)] for key, item in value.items()]}
            return {'other': kind.__name__ if kind_of(kind.__name__) is str else '?'}
        return walk(value, 0)

    def expected(text):
        try:
            return encode(literal(text))
        except Exception:
            return {'other': 'not a literal'}

    def shown(text):
        return text if length(text) <= MOST_TEXT else text[:MOST_TEXT] + '...'

    def failure(error):
        names = [kind.__name__ for kind in kind_of(error).__mro__ if kind is not object]
        try:
            message = f'{error}'
        except BaseException:
            message = ''
        if isinstance(error, SyntaxError):
            message = f'{error.msg} (line {error.lineno})'
        return {'raises': names, 'message': shown(message)}

    def one_call(space, call):
        try:
            value = evaluate(compile_code(call, '<call>', 'eval'), space)
        except BaseException as error:
            return failure(error)
        try:
            return {'value': encode(value), 'text': shown(text_of(value))}
        except TooLarge:
            return {'value': {'other': 'too much to compare'}, 'text': 'a value too large to compare'}
        except BaseException as error:
            return failure(error)

    def run(code, calls):
        space = {'__name__': 'proposal', '__builtins__': dict(builtins.__dict__)}
        try:
            run_code(compile_code(code, '<proposal>', 'exec'), space)
        except BaseException as error:
            return {'refused': failure(error)}
        return {'results': [one_call(space, call) for call in calls]}

    def photograph():
        return {name: (module, dict(module.__dict__)) for name, module in modules.items() if hasattr(module, '__dict__')}

    def places():
        return {place: sorted(listing(place)) for place in PLACES if is_folder(place)}

    def changed():
        """Whether the run left something behind that the next proposal could meet."""
        set_trace(None)
        set_profile(None)
        set_limit(limit)
        for name in [name for name in modules if name not in known]:
            del modules[name]
        if length(modules) != length(known):
            return True
        for name, (module, names) in photo.items():
            now = modules.get(name)
            if now is not module or length(now.__dict__) != length(names):
                return True
            for key, value in names.items():
                if now.__dict__.get(key) is not value:
                    return True
        return [[*path], [*finders], [*hooks]] != importing or places() != rooms

    def handle(request):
        request = loads(request)
        if request['type'] == 'encode':
            return dumps({'values': [expected(text) for text in request['literals']]})
        answer = run(request['code'], request['calls'])
        collect()
        answer['changed'] = changed()
        return dumps(answer)

    known = set(modules)
    photo = photograph()
    importing = [[*path], [*finders], [*hooks]]
    rooms = places()
    return handle

_make()
`;
