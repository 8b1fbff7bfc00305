"""CodeCarbon logs of people who do not use this suite: found, parsed, understood, put in rows.

find ─ parse ─ quantities ─ runs ─ match (with a Hydra config) ─ ranks ─ rows
                                      config_names
"""
