"""Decode, check and scale pictures. Pure functions, made to run in the sandbox (newsletter.lib).

Memory is bounded: the size in the file's header is checked before anything is decoded, only four
formats are tried, and a JPEG is decoded at a fraction of its size where that is enough.
"""
