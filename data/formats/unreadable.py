"""What to export instead, for the formats that hold no triangles or that only their own program reads."""

from __future__ import annotations

_CAD = "export it from the CAD program as binary STL (chord tolerance about 1 mm)"
_MODELLER = "export it as .glb or .obj (Blender: File > Export)"
_NATIVE = {
    "packed STEP": (".stpz .stpx", "unpack it: the .stp in it is read"),
    "JT": (".jt", _CAD),
    "CATIA": (".catpart .catproduct .cgr .3dxml .model", _CAD),
    "Parasolid": (".x_t .x_b .xmt_txt .xmt_bin", _CAD),
    "ACIS": (".sat .sab", _CAD),
    "SolidWorks": (".sldprt .sldasm", _CAD),
    "Inventor": (".ipt .iam", _CAD),
    "NX or Creo": (".prt .asm", _CAD),
    "Solid Edge": (".par .psm", _CAD),
    "Fusion": (".f3d .f3z", _CAD),
    "FreeCAD": (".fcstd", _CAD),
    "OpenCASCADE": (".brep .brp", _CAD),
    "Rhino": (".3dm", "export it from Rhino as binary STL or OBJ"),
    "Alias": (".wire", _CAD),
    "DXF or DWG": (".dxf .dwg", _CAD),
    "SketchUp": (".skp", _MODELLER),
    "FBX": (".fbx", _MODELLER),
    "USD": (".usd .usda .usdc .usdz", _MODELLER),
    "Blender": (".blend", _MODELLER),
    "3ds Max": (".3ds .max", _MODELLER),
    "Maya": (".ma .mb", _MODELLER),
    "Cinema 4D": (".c4d", _MODELLER),
    "LightWave": (".lwo", _MODELLER),
    "X3D or VRML": (".x3d .wrl .vrml", _MODELLER),
    "Alembic": (".abc", _MODELLER),
    "AMF": (".amf", "export it as 3MF or STL"),
    "DirectX": (".x", _MODELLER),
    "laser scan": (".las .laz .e57", "save the points as .ply or .xyz"),
    "volume mesh": (".msh .cgns .cas .bdf .nas .inp .med .unv .k", "export its surface as binary STL or .vtp"),
    "EnSight": (".case .encas", "export its surface as .vtp from ParaView"),
    "VTK multi-block": (".vtm .vtmb .pvd .pvtp .pvtu", "merge the blocks and save one .vtp (ParaView: Merge Blocks)"),
    "VTK grid": (".vti .vts .vtr", "extract the surface and save it as .vtp (ParaView: Extract Surface)"),
    "archive": (".zip .tar .tgz .7z .rar .bz2 .xz .zst", "unpack it first"),
}
_BY_SUFFIX = {suffix: (name, fix) for name, (suffixes, fix) in _NATIVE.items() for suffix in suffixes.split()}


def advice(suffix: str) -> tuple[str, str]:
    """What is wrong with a file of this suffix, and what to do instead."""
    if suffix in _BY_SUFFIX:
        name, fix = _BY_SUFFIX[suffix]
        return f"{name} files ({suffix}) are not read", fix
    if not suffix:
        return "has no suffix that names its format", "name it .stl, .obj, .ply, .glb, ... after what it holds"
    return f"'{suffix}' is not a mesh format that is read", "export it as binary STL, OBJ, PLY or GLB"
