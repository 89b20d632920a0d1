"""Peers of deduplication, each in an environment of its own under a folder: datasketch, text-dedup, datatrove."""
# ruff: noqa: E501 -- the scripts are kept as one would type them

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from dedup_sets import Outcome

DATASKETCH = """
import json, re, sys
from datasketch import MinHash, MinHashLSH
word = re.compile(r"[^\\W_]+")
lsh, kept = MinHashLSH(threshold=0.5, num_perm=112), {}
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    words = word.findall(row["text"].lower())
    m = MinHash(num_perm=112)
    m.update_batch([" ".join(words[i:i + 5]).encode() for i in range(max(1, len(words) - 4))])
    found = sorted(lsh.query(m))
    if found:
        kept[row["id"]] = found[0]
    else:
        lsh.insert(row["id"], m)
json.dump(kept, open(sys.argv[2], "w"))
"""

TEXT_DEDUP = """
import json, sys
from datasets import load_dataset
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
import numpy as np
from text_dedup.minhash import embed_func
from text_dedup.utils import UnionFind, optimal_param
import re
from collections import defaultdict
from text_dedup.utils.hashfunc import xxh3_32hash
perm = 112
b, r = optimal_param(0.5, perm)
gen = np.random.RandomState(42)
p = np.uint64((1 << 61) - 1)
perms = (gen.randint(1, (1 << 61) - 1, size=(perm,), dtype=np.uint64), gen.randint(0, (1 << 61) - 1, size=(perm,), dtype=np.uint64))
tables = [defaultdict(set) for _ in range(b)]
for n, row in enumerate(rows):
    out = embed_func(row["text"], n, num_perm=perm, ngram_size=5, min_length=5, hashranges=[(i * r, (i + 1) * r) for i in range(b)],
                     permutations=perms, hash_func=xxh3_32hash, dtype=np.uint32, max_hash=np.uint32((1 << 32) - 1), modulo_prime=p)
    for h, table in zip(out["__signatures__"], tables):
        table[h].add(n)
uf = UnionFind()
for table in tables:
    for group in table.values():
        first = min(group)
        for n in group:
            uf.union(n, first)
json.dump({row["id"]: rows[uf.find(n)]["id"] for n, row in enumerate(rows) if uf.find(n) != n}, open(sys.argv[2], "w"))
"""

DATATROVE = """
import glob, gzip, json, os, sys, tempfile
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
def run(steps, tasks=1):
    LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=tempfile.mkdtemp()).run()
if __name__ == "__main__":
    d, cfg = tempfile.mkdtemp(), MinhashConfig()
    source, name = os.path.split(sys.argv[1])
    read = lambda: JsonlReader(source, glob_pattern=name)
    run([read(), MinhashDedupSignature(output_folder=d + "/sig", config=cfg)])
    run([MinhashDedupBuckets(input_folder=d + "/sig", output_folder=d + "/buckets", config=cfg)], cfg.num_buckets)
    run([MinhashDedupCluster(input_folder=d + "/buckets", output_folder=d + "/remove", config=cfg, save_cluster_id=True)])
    run([read(), MinhashDedupFilter(input_folder=d + "/remove", load_cluster_ids=True, exclusion_writer=JsonlWriter(d + "/gone", compression=None)),
         JsonlWriter(d + "/kept", compression=None)])
    rows = {}
    for kind in ("kept", "gone"):
        for path in glob.glob(d + "/" + kind + "/*"):
            for line in open(path, encoding="utf-8"):
                row = json.loads(line)
                cluster = row["metadata"].get("minhash_cluster_id", -1)
                if cluster != -1:
                    rows.setdefault(cluster, {}).setdefault(kind, []).append(row["id"])
    json.dump({g: c["kept"][0] for c in rows.values() for g in c.get("gone", []) if c.get("kept")}, open(sys.argv[2], "w"))
"""

PEERS = {"datasketch": DATASKETCH, "text-dedup": TEXT_DEDUP, "datatrove": DATATROVE}


def run_peer(name: str, folder: Path, texts: Mapping[str, str]) -> Outcome | str:
    """What a peer leaves out; a sentence instead, where it is not there or fails."""
    python = folder / name / "bin" / "python"
    if not python.exists():
        return f"{name}: skipped, no environment at {folder.name}/{name}"
    with tempfile.TemporaryDirectory() as work:
        source, answer, script = Path(work) / "in.jsonl", Path(work) / "out.json", Path(work) / "peer.py"
        with source.open("w", encoding="utf-8") as file:
            for key, text in texts.items():
                file.write(json.dumps({"id": key, "text": text}, ensure_ascii=False) + "\n")
        script.write_text(PEERS[name], encoding="utf-8")
        begun = time.perf_counter()
        done = subprocess.run([python, script, source, answer], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begun
        if done.returncode or not answer.exists():
            return f"{name}: failed: {done.stderr.strip().splitlines()[-1:] or done.returncode}"
        return Outcome(json.loads(answer.read_text()), seconds={"wall": seconds})
