def host_facts():
    import platform

    return {"cpu": platform.processor()}
