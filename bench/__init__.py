"""Lives here: what measures limner, alone (`speed`) and beside what people use today (`quality`).

`make bench` runs it. Every figure is kept in `bench/results/`, one file for each training; `bench/README.md` is written
from them. `peers/` holds one small file for each other program, run by the Python of that program's own environment.
"""
