"""Reports that others ask for, made from records: one module a format, each with `export`.

record ─ from_record ─ RunFacts ┐
                                ├─ export(runs, site) ─ Export (files, what was left out)
site.yaml ─ site_facts ─ SiteFacts ┘
"""
