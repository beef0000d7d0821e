"""A contract's address is its client's code and a number of the client's own, a shop's begins with that code.

Contracts get their numbers in the order in which they were entered. A shop whose slug tells of another client's shop,
or could, gets a new one and keeps the old as the address that leads there. From now on none of it changes.
"""

from collections import defaultdict
from itertools import count

from django.db import migrations, models
from django.utils.text import slugify

SLUG_LENGTH = 40
POLISH = str.maketrans("łŁ", "lL")
CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"
FORWARD = """
CREATE FUNCTION contracts_addresses_never_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an address never changes';
END $$;
CREATE TRIGGER contracts_addresses_never_change BEFORE UPDATE ON contracts_contract FOR EACH ROW
    WHEN ((OLD.client_id, OLD.serial, OLD.address) IS DISTINCT FROM (NEW.client_id, NEW.serial, NEW.address))
    EXECUTE FUNCTION contracts_addresses_never_change();
CREATE TRIGGER contracts_addresses_never_change BEFORE UPDATE ON contracts_shop FOR EACH ROW
    WHEN ((OLD.client_id, OLD.slug, OLD.old_slug) IS DISTINCT FROM (NEW.client_id, NEW.slug, NEW.old_slug))
    EXECUTE FUNCTION contracts_addresses_never_change();
"""
BACKWARD = """
DROP TRIGGER contracts_addresses_never_change ON contracts_contract;
DROP TRIGGER contracts_addresses_never_change ON contracts_shop;
DROP FUNCTION contracts_addresses_never_change();
"""


def number_contracts(apps, schema_editor):
    last = defaultdict(int)
    for contract in apps.get_model("contracts", "Contract").objects.select_related("client").order_by("pk"):
        last[contract.client_id] += 1
        contract.serial = last[contract.client_id]
        contract.address = f"{contract.client.code}-{contract.serial}"
        contract.save(update_fields=["serial", "address"])


def stem(shop):
    plain = slugify(shop.name.translate(POLISH).replace(".", "-"))[:SLUG_LENGTH].strip("-") or "shop"
    own = shop.client.code.lower()
    return plain if plain.split("-")[0] == own else f"{own}-{plain}"


def rename_shops(apps, schema_editor):
    Shop = apps.get_model("contracts", "Shop")
    shops = list(Shop.objects.select_related("client").order_by("pk"))
    stays = {shop.pk for shop in shops if shop.slug == stem(shop)}
    taken = {shop.slug for shop in shops if shop.pk in stays}
    for shop in shops:
        if shop.pk not in stays:
            names = (stem(shop) if number == 1 else f"{stem(shop)}-{number}" for number in count(1))
            shop.old_slug, shop.slug = shop.slug, next(name for name in names if name not in taken)
            taken.add(shop.slug)
    move(Shop, [shop for shop in shops if shop.pk not in stays])


def give_back_slugs(apps, schema_editor):
    """Except where a shop that was added since has it."""
    Shop = apps.get_model("contracts", "Shop")
    taken = set(Shop.objects.filter(old_slug="").values_list("slug", flat=True))
    back = [shop for shop in Shop.objects.exclude(old_slug="") if shop.old_slug not in taken]
    for shop in back:
        shop.slug, shop.old_slug = shop.old_slug, ""
    move(Shop, back)


def move(Shop, shops):
    """In two steps: one shop's new slug may be another's old one."""
    for shop in shops:
        Shop.objects.filter(pk=shop.pk).update(slug=f"--{shop.pk}")
    for shop in shops:
        Shop.objects.filter(pk=shop.pk).update(slug=shop.slug, old_slug=shop.old_slug)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0008_shop_names_are_lines"), ("accounts", "0008_names_that_tell_nothing")]

    operations = [
        migrations.AddField(
            model_name="shop",
            name="old_slug",
            field=models.SlugField(blank=True, default="", editable=False),
        ),
        migrations.AddField(
            model_name="contract",
            name="serial",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="contract",
            name="address",
            field=models.CharField(editable=False, max_length=16, null=True),
        ),
        migrations.RunPython(number_contracts, migrations.RunPython.noop),
        # A shop that is moved twice leaves checks behind, and no table changes while some wait
        migrations.RunSQL(migrations.RunSQL.noop, CHECK_NOW),
        migrations.RunPython(rename_shops, give_back_slugs),
        migrations.RunSQL(CHECK_NOW, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="contract",
            name="serial",
            field=models.PositiveIntegerField(editable=False),
        ),
        migrations.AlterField(
            model_name="contract",
            name="address",
            field=models.CharField(editable=False, max_length=16, unique=True),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(fields=("client", "serial"), name="one_contract_per_client_and_serial"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
