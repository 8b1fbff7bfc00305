def code_version():
    return {"version": "0.1.0"}
