# SPDX-License-Identifier: Apache-2.0
"""pyHanko as a judge: reads one request a line, a JSON object, from standard
input, and writes one answer a line to standard output.

    {"do": "validate", "file": "a.pdf", "trust": "root.pem"}

The answer has the key "refused", with pyHanko's words, when it could not do as
asked. Nothing is fetched from the network, and revocation is not looked at
where the file brings nothing of it.
"""

import asyncio
import importlib.metadata
import json
import logging
import sys

from asn1crypto import cms, core, crl, pem
from pyhanko.keys import load_cert_from_pemder, load_certs_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.diff_analysis import SuspiciousModification
from pyhanko.sign.timestamps.requests_client import HTTPTimeStamper
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    async_validate_detached_cms,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import async_validate_cms_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore


async def version(_):
    return {"version": importlib.metadata.version("pyHanko")}


async def validate(ask):
    with open(ask["file"], "rb") as file:
        start = file.read(5)
        file.seek(0)
        judge = validate_pdf if start == b"%PDF-" else validate_cms
        return {"signatures": [signature async for signature in judge(ask, file)]}


def context(ask):
    """What is trusted: the certificates of a PEM file, and nothing else."""
    trust = ask.get("trust")
    roots = list(load_certs_from_pemder([trust])) if trust else []
    return ValidationContext(trust_roots=roots, allow_fetching=False, revocation_mode="soft-fail")


async def described(facts, validation):
    """Adds to the facts what a validation comes to. One that breaks off is no
    reason to leave out the other signatures: it says no to this one."""
    try:
        status = await validation
    except SignatureValidationError as error:
        return facts | {"says": str(error)}
    problem = status.trust_problem_indic
    return facts | {
        "intact": status.intact,
        "valid": status.valid,
        "trusted": status.trusted,
        "digest": status.md_algorithm,
        "mechanism": status.pkcs7_signature_mechanism,
        "signer": status.signing_cert.subject.native.get("common_name", ""),
        "subject": status.signing_cert.subject.human_friendly,
        "accepted": getattr(status, "bottom_line", status.trusted),
        "says": str(problem) if problem else status.summary(),
    } | modifications(status)


def modifications(status):
    """What a status of a signature in a PDF says beyond one of CMS."""
    if not hasattr(status, "coverage"):
        return {}
    level, difference = status.modification_level, status.diff_result
    return {
        "coverage": status.coverage.name if status.coverage else "",
        "modification": level.name if level is not None else "",
        "docMDPOK": bool(status.docmdp_ok),
        "suspicious": str(difference) if isinstance(difference, SuspiciousModification) else "",
    }


async def validate_pdf(ask, file):
    reader = PdfFileReader(file, strict=not ask.get("lenient", False))
    if reader.encrypted:
        reader.decrypt(ask.get("password", ""))
    for embedded in reader.embedded_signatures:
        timestamp = embedded.sig_object_type == "/DocTimeStamp"
        facts = {
            "field": embedded.field_name,
            "subFilter": str(embedded.sig_object.get("/SubFilter", "")).lstrip("/"),
            "timestamp": timestamp,
        }
        validation = async_validate_pdf_timestamp if timestamp else async_validate_pdf_signature
        yield await described(facts, validation(embedded, context(ask)))


async def validate_long_term(ask):
    """Judges the signatures of a PDF by what is in it: the last document timestamp
    now, each other one when the next was made, and a signature when its own was, or
    the first of those that cover it. Every certificate needs proof that it was not
    revoked, those that are judged now a list of today."""
    with open(ask["file"], "rb") as file:
        reader = PdfFileReader(file)
        if reader.encrypted:
            reader.decrypt(ask.get("password", ""))
        covering, stamps = None, {}
        for stamp in reversed(reader.embedded_timestamp_signatures):
            status = await async_validate_pdf_timestamp(stamp, stored(ask, reader, covering))
            if not (status.valid and status.trusted):
                stamps = {}  # whatever it covers is proven by nothing
                continue
            covering = status.timestamp
            stamps[stamp.signed_revision] = status.timestamp
        return {"signatures": [await long_term(ask, reader, s, stamps) for s in reader.embedded_regular_signatures]}


async def long_term(ask, reader, embedded, stamps):
    after = [at for revision, at in stamps.items() if revision > embedded.signed_revision]
    archived = min(after, default=None)
    stamped = (await async_validate_pdf_signature(embedded, stored(ask, reader), stored(ask, reader, archived))).timestamp_validity
    proven = stamped.timestamp if stamped and stamped.valid and stamped.trusted else archived
    status = await async_validate_pdf_signature(embedded, stored(ask, reader, proven), stored(ask, reader, archived))
    return {
        "field": embedded.field_name,
        "accepted": status.bottom_line,
        "provenAt": proven.isoformat() if proven else None,
        "archivedAt": archived.isoformat() if archived else None,
        "says": status.summary(),
    }


def stored(ask, reader, moment=None):
    """The anchors, and what the file brings to judge certificates with as of a
    moment; now, without one, and then with the lists of today."""
    settings = {
        "trust_roots": list(load_certs_from_pemder([ask["trust"]])),
        "allow_fetching": False,
        "revocation_mode": "require",
        "retroactive_revinfo": True,
    }
    if moment:
        settings["moment"] = moment
    else:
        settings["crls"] = revocation_lists(ask)
    return DocumentSecurityStore.read_dss(reader).as_validation_context(settings)


async def validate_cms(ask, file):
    der = file.read()
    if pem.detect(der):
        _, _, der = pem.unarmor(der)
    info = cms.ContentInfo.load(der)
    if info["content_type"].native != "signed_data":
        raise ValueError("not a SignedData")
    whole = info["content"]
    for signer in whole["signer_infos"]:
        # pyHanko judges messages of one signer.
        alone = whole.copy()
        alone["signer_infos"] = [signer]
        yield await described({}, cms_validation(ask, alone))


def cms_validation(ask, signed):
    content = ask.get("content")
    if content:
        return detached_validation(content, signed, context(ask))
    if signed["encap_content_info"]["content"] is core.VOID:
        raise ValueError("the content is not in the file, and none was given")
    return async_validate_cms_signature(signed, validation_context=context(ask))


async def detached_validation(content, signed, trust):
    with open(content, "rb") as file:
        return await async_validate_detached_cms(file, signed, signer_validation_context=trust)


def signer_of(ask):
    others = SimpleCertificateStore()
    if ask.get("chain"):
        others.register_multiple(load_certs_from_pemder([ask["chain"]]))
    return signers.SimpleSigner(
        signing_cert=load_cert_from_pemder(ask["certificate"]),
        signing_key=load_private_key_from_pemder(ask["key"], passphrase=None),
        cert_registry=others,
        prefer_pss=ask.get("pss", False),
    )


async def sign_cms(ask):
    with open(ask["file"], "rb") as content:
        info = await signer_of(ask).async_sign_general_data(
            content, ask["digest"], detached=ask.get("detached", False), use_cades=True
        )
    with open(ask["output"], "wb") as output:
        output.write(info.dump())
    return {}


def field_spec(ask):
    """The field to make; None when there is nothing to say of it but its name."""
    lock, box = ask.get("lock"), ask.get("box")
    return fields.SigFieldSpec(
        ask["field"],
        on_page=ask.get("page", 0),
        box=tuple(box) if box else None,
        field_mdp_spec=fields.FieldMDPSpec(fields.FieldMDPAction("/" + lock["action"]), lock.get("fields")) if lock else None,
    )


def update_of(ask, source):
    writer = IncrementalPdfFileWriter(source, strict=not ask.get("lenient", False))
    if writer.prev.encrypted:
        writer.encrypt(ask.get("password", ""))
    return writer


def collected(ask):
    """What a signature of level LT needs of what is named: anchors, certificates
    and revocation lists."""
    if not ask.get("trust"):
        return None
    return ValidationContext(
        trust_roots=list(load_certs_from_pemder([ask["trust"]])),
        other_certs=list(load_certs_from_pemder([ask["chain"]])),
        crls=revocation_lists(ask),
        allow_fetching=False,
        revocation_mode="require",
    )


def revocation_lists(ask):
    lists = []
    for name in ask.get("crls", []):
        with open(name, "rb") as file:
            lists.append(crl.CertificateList.load(file.read()))
    return lists


async def sign_pdf(ask):
    certify = ask.get("certify", 0)
    adobe = ask.get("adobe", False)
    existing = ask.get("existing", False)
    level = ask.get("level", "B")
    meta = signers.PdfSignatureMetadata(
        field_name=ask["field"],
        md_algorithm=ask["digest"],
        subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED if adobe else fields.SigSeedSubFilter.PADES,
        certify=certify != 0,
        docmdp_permissions=fields.MDPPerm(certify or fields.MDPPerm.FILL_FORMS),
        reason=ask.get("reason"),
        validation_context=collected(ask),
        embed_validation_info=level in ("LT", "LTA"),
        use_pades_lta=level == "LTA",
    )
    signer = signers.PdfSigner(
        meta,
        signer_of(ask),
        timestamper=HTTPTimeStamper(ask["tsa"]) if ask.get("tsa") else None,
        new_field_spec=None if existing else field_spec(ask),
    )
    with open(ask["file"], "rb") as source, open(ask["output"], "wb") as output:
        await signer.async_sign_pdf(update_of(ask, source), existing_fields_only=existing, output=output)
    return {}


async def add_field(ask):
    with open(ask["file"], "rb") as source, open(ask["output"], "wb") as output:
        writer = update_of(ask, source)
        fields.append_signature_field(writer, field_spec(ask))
        writer.write(output)
    return {}


def text_field(writer, page, name, box):
    """A text field without a value, as empty as it looks."""
    font = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Font"),
                pdf_name("/Subtype"): pdf_name("/Type1"),
                pdf_name("/BaseFont"): pdf_name("/Helvetica"),
                pdf_name("/Encoding"): pdf_name("/WinAnsiEncoding"),
            }
        )
    )
    look = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): numbers([0, 0, box[2] - box[0], box[3] - box[1]]),
        },
        stream_data=b"/Tx BMC EMC",
    )
    field = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): generic.pdf_string(name),
            pdf_name("/DA"): generic.pdf_string("/Helv 12 Tf 0 g"),
            pdf_name("/Rect"): numbers(box),
            pdf_name("/P"): page,
            pdf_name("/F"): generic.NumberObject(4),
            pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): writer.add_object(look)}),
        }
    )
    return font, writer.add_object(field)


def numbers(values):
    return generic.ArrayObject([generic.NumberObject(value) for value in values])


def entry(writer, container, key, otherwise):
    """The entry of a dictionary, to be changed; what it is otherwise, when there
    is none."""
    if key not in container:
        container[pdf_name(key)] = otherwise
        writer.update_container(container)
    found = container[key]
    writer.update_container(found)
    return found


async def add_text_field(ask):
    """Adds a text field to a page, and a form to a document that has none."""
    with open(ask["file"], "rb") as source, open(ask["output"], "wb") as output:
        writer = update_of(ask, source)
        page = writer.find_page_for_modification(ask.get("page", 0))[0]
        font, field = text_field(writer, page, ask["field"], ask["box"])
        writer.register_annotation(page, field)
        form = entry(writer, writer.root, "/AcroForm", generic.DictionaryObject())
        entry(writer, form, "/Fields", generic.ArrayObject()).append(field)
        fonts = entry(writer, entry(writer, form, "/DR", generic.DictionaryObject()), "/Font", generic.DictionaryObject())
        if "/Helv" not in fonts:
            fonts[pdf_name("/Helv")] = font
        writer.write(output)
    return {}


VERBS = {
    "version": version,
    "validate": validate,
    "validate-long-term": validate_long_term,
    "sign-cms": sign_cms,
    "sign-pdf": sign_pdf,
    "add-field": add_field,
    "add-text-field": add_text_field,
}


def answer(line):
    try:
        ask = json.loads(line)
        return asyncio.run(VERBS[ask["do"]](ask))
    except Exception as error:  # whatever a hostile file provokes is an answer, too
        return {"refused": f"{type(error).__name__}: {error}"}


def main():
    # What it would log is in its answers, or comes of a file being bad.
    logging.disable()
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
