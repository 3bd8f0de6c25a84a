"""How the packaged samples are made: `python -m mien_export.samples portraits|avatar|clip --data DIR --out DIR`.

They show nobody. A portrait is the blend of many people's inner faces in a face shape that we invent, with hair, neck,
clothes and backdrop blended from alike silhouettes or drawn; `likeness` measures that it resembles none of them.
"""
