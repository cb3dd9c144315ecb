#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Seed a fresh Tryton 6.0 data base (run by ./start; needs tryton-proteus).

usage: DB_NAME=crm seed.py TRYTOND_CONF OUT_JSON
Company, currency, chart of accounts, fiscal year, 3 warehouses with stock,
4 products with lead times, 2 customers, 1 employee; users tidemark (exporter),
rep1 (sales, with employee) and factory (planner).
Writes the ids of everything to OUT_JSON.
"""
import datetime as dt
import json
import os
import sys
from decimal import Decimal

# How passwords are hashed is read when trytond is imported.
os.environ['TRYTOND_CONFIG'] = sys.argv[1]
from proteus import Model, Wizard, config
from trytond.modules.account.tests.tools import (
    create_chart, create_fiscalyear, get_accounts)
from trytond.modules.account_invoice.tests.tools import (
    set_fiscalyear_invoice_sequences)

config.set_trytond(config_file=sys.argv[1])
cfg = config.get_config()
G = Model.get
days = lambda n: dt.timedelta(days=n)
out = {}

# --- currency and company ---------------------------------------------------
eur = G('currency.currency')(
    name='Euro', code='EUR', numeric_code='978', symbol='EUR',
    rounding=Decimal('0.01'), digits=2)
eur.save()
vendor = G('party.party')(name='Tidemark Vendor', code='VENDOR')
vendor.save()
w = Wizard('company.company.config')
w.execute('company')
w.form.party = vendor
w.form.currency = eur
w.execute('add')
company, = G('company.company').find()
cfg._context = G('res.user').get_preferences(True, {})   # now has the company

# --- accounts (needed to confirm a sale, so that an opportunity can be won) --
create_chart(company)
fy = create_fiscalyear(company)
fy = set_fiscalyear_invoice_sequences(fy)
fy.save()
fy.click('create_period')
acc = get_accounts(company)
cat = G('product.category')(
    name='Hardware', accounting=True,
    account_revenue=acc['revenue'], account_expense=acc['expense'])
cat.save()
term = G('account.invoice.payment_term')(name='30 days')
line = term.lines.new()
line.relativedeltas.new(days=30)
term.save()

# --- parties ----------------------------------------------------------------
Party = G('party.party')


def party(code, name, email=None, tid=None, street=None, city=None):
    p = Party(name=name, code=code)
    if email:
        p.contact_mechanisms.new(type='email', value=email)
    if tid:                                # Tidemark's own customer number
        p.identifiers.new(code=tid)
    a = p.addresses[0] if p.addresses else p.addresses.new()
    a.street, a.city = street, city
    p.save()
    return p


c1 = party('C-1001', 'Acme Foundry', 'storage@acme.example', 'tidemark:acme', '1 Mill Rd', 'Northtown')
c2 = party('C-1002', 'Birch Clinic', 'it@birch.example', 'tidemark:birch', '2 Hill St', 'Southtown')
supp = party('S-2001', 'Array Factory Ltd', 'orders@factory.example')
rep = party('E-3001', 'Robin Rep', 'robin.rep@vendor.example')
emp = G('company.employee')(party=rep, company=company)
emp.save()

# --- warehouses: WH (factory), RN and RS (retail shops) ---------------------
Location = G('stock.location')
fac, = Location.find([('code', '=', 'WH')])
fac.name, fac.code = 'Factory Warehouse', 'FAC'
fac.save()
prod, = Location.find([('code', '=', 'PROD')])
lost, = Location.find([('type', '=', 'lost_found')])
whs = {'FAC': fac}
for code, name in (('RN', 'Retail North'), ('RS', 'Retail South')):
    zones = {}
    for z, zn in (('IN', 'Input'), ('OUT', 'Output'), ('STO', 'Storage')):
        zones[z] = Location(name='%s %s' % (name, zn), code='%s-%s' % (code, z), type='storage')
        zones[z].save()
    wh = Location(name=name, code=code, type='warehouse', input_location=zones['IN'],
        output_location=zones['OUT'], storage_location=zones['STO'],
        production_location=prod, lost_found_location=lost)
    wh.save()
    whs[code] = wh
LT = G('stock.location.lead_time')
for to, n in (('RN', 2), ('RS', 4)):
    LT(warehouse_from=fac, warehouse_to=whs[to], lead_time=days(n)).save()

# --- products (SKU = template code + variant suffix) ------------------------
unit, = G('product.uom').find([('name', '=', 'Unit')])
Template = G('product.template')
PSupp, PLead = G('purchase.product_supplier'), G('production.lead_time')


def template(name, code, price, variants, ship_days, supply_days, producible=False):
    t = Template(name=name, code=code, type='goods', default_uom=unit, list_price=Decimal(price),
        salable=True, purchasable=True, producible=producible, account_category=cat,
        lead_time=days(ship_days))
    for i, (suffix, desc) in enumerate(variants):
        v = t.products[i] if i < len(t.products) else t.products.new()
        v.suffix_code, v.description = suffix, desc
        v.cost_price = Decimal(price) / 2
    t.save()
    PSupp(template=t, party=supp, company=company, currency=eur, lead_time=days(supply_days),
        code='F-' + code).save()
    if producible:
        for v in t.products:
            PLead(product=v, lead_time=days(10)).save()
    return t


shelf = template('Expansion shelf', 'SHELF', '4800.00',
    [('-20T', '20 TB expansion shelf'), ('-40T', '40 TB expansion shelf')], 1, 21, True)
cache = template('Cache module', 'CACHE', '950.00', [('-64G', '64 GiB cache module')], 1, 7)
tray = template('Paper tray', 'TRAY', '180.00', [('-500', '500 sheet paper tray')], 1, 3)
Product = G('product.product')
skus = {p.code: p for p in Product.find([])}

# --- stock ------------------------------------------------------------------
stock = {
    'FAC': {'SHELF-20T': 12, 'SHELF-40T': 3, 'CACHE-64G': 40, 'TRAY-500': 25},
    'RN': {'SHELF-20T': 2, 'CACHE-64G': 5, 'TRAY-500': 6},
    'RS': {'CACHE-64G': 1, 'TRAY-500': 0},
    }
Inventory = G('stock.inventory')
for code, rows in stock.items():
    inv = Inventory(location=whs[code].storage_location, date=dt.date.today(), empty_quantity='keep')
    for sku, qty in rows.items():
        if qty:
            l = inv.lines.new()
            l.product, l.quantity = skus[sku], qty
    inv.save()
    inv.click('confirm')
OrderPoint = G('stock.order_point')
for sku, mn, tg in (('SHELF-20T', 5, 15), ('CACHE-64G', 10, 50)):
    OrderPoint(type='purchase', product=skus[sku], warehouse_location=fac, company=company,
        min_quantity=mn, target_quantity=tg).save()

# --- complaint types = Tidemark claim types ---------------------------------
model, = G('ir.model').find([('model', '=', 'sale.sale')])
ctypes = {}
for name in ('image-density', 'paper-feed', 'capacity', 'performance', 'other'):
    t = G('sale.complaint.type')(name=name, origin=model)
    t.save()
    ctypes[name] = t.id

# --- users ------------------------------------------------------------------
User, Group = G('res.user'), G('res.group')
want = {'Sales', 'Sale Opportunity', 'Sale Stock Quantity', 'Stock', 'Stock Forecast', 'Purchase',
    'Production', 'Party Administration', 'Product Administration'}


def user(login, name, pw, employee=None, email=None, more=()):
    u = User(name=name, login=login, password=pw, email=email)
    for g in Group.find([('name', 'in', sorted(want | set(more)))]):
        u.groups.append(g)
    u.companies.append(G('company.company')(company.id))
    u.company = G('company.company')(company.id)
    if employee:
        u.employees.append(G('company.employee')(employee.id))
        u.employee = G('company.employee')(employee.id)
    u.save()
    return u


u1 = user('tidemark', 'Tidemark exporter', 'Exporter-7421')
u3 = user('factory', 'Factory planner', 'Factory-6284',
    more=('Stock Administration', 'Purchase Request', 'Purchase Administrator'))
u2 = user('rep1', 'Robin Rep', 'Salesrep-8305', emp, 'robin.rep@vendor.example')

out = {
    'company': company.id, 'currency': eur.id, 'payment_term': term.id, 'unit': unit.id,
    'account_category': cat.id,
    'customers': {p.code: p.id for p in (c1, c2)}, 'supplier': supp.id, 'employee': emp.id,
    'warehouses': {k: {'warehouse': v.id, 'storage': v.storage_location.id} for k, v in whs.items()},
    'products': {k: v.id for k, v in skus.items()}, 'stock': stock,
    'complaint_types': ctypes, 'users': {'tidemark': u1.id, 'rep1': u2.id, 'factory': u3.id},
    }
with open(sys.argv[2], 'w') as f:
    json.dump(out, f, indent=1, sort_keys=True)
