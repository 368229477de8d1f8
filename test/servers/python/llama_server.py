"""llama.cpp's own HTTP server out of the wheel `xllamacpp`.

    python llama_server.py MODEL.gguf PORT API_KEY NAME
"""

import sys
from threading import Event

import xllamacpp

path, port, api_key, name = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = path
params.model_alias = {name}
params.hostnames, params.port, params.api_keys = ["127.0.0.1"], int(port), [api_key]
params.n_ctx, params.n_parallel = 4096, 1
params.endpoint_metrics = True
# Prompts of an hour ago in the machine's memory would make every count of tokens depend on what was asked before.
params.cache_ram_mib = 0
params.use_jinja = True
# Numbers are compared with float32: neither the cache nor the attention may round. One thread, since threads that wait for each
# other on a busy machine are slower than one alone.
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1

server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
Event().wait()
