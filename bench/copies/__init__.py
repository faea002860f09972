"""Lives here: are altered copies of training pictures found, and honest new pictures left alone.

`pictures` deals the pictures, `alterations` alters, `twins` finds those that are no honest test, `planted` puts the set
together; `methods` has each program describe it, `scoring` compares, `page` tells. Nothing is imported here, so that
every program's own Python can read `packs`.
"""
